import pytest
import torch

from tempseg_mm.flow.padding import pad_to_multiple


@pytest.mark.parametrize('size, least, wanted', [
    ((5, 9), 1, (8, 16)), ((8, 16), 1, (8, 16)), ((1, 1), 1, (8, 8)), ((5, 9), 20, (24, 24)), ((5, 30), 20, (24, 32))])
def test_size_and_place(size, least, wanted):
    images = torch.rand(2, 3, *size)
    padded = pad_to_multiple(images, 8, least=least)
    assert padded.shape[2:] == wanted
    assert torch.equal(padded[..., :size[0], :size[1]], images)
    assert torch.equal(padded[..., -1, -1], images[..., -1, -1])
    assert torch.equal(padded[..., 0, size[1]:], images[..., 0, -1:].expand(-1, -1, wanted[1] - size[1]))


def test_what_fits_is_left_alone():
    images = torch.rand(1, 3, 8, 16)
    assert pad_to_multiple(images, 8) is images
