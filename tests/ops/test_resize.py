import numpy as np
import pytest
import torch

from tempseg_mm.ops.resize import (
    fit_shorter_side,
    fit_width,
    pad_to_multiple,
    resize_flow,
    resize_image,
    resize_mask,
    target_size,
)


@pytest.mark.parametrize(('size', 'stored', 'expected'), [
    (None, (97, 131), (97, 131)),
    ((60, 70), (97, 131), (60, 70)),
    ([60, 70], (97, 131), (60, 70)),
    (240, (480, 854), (240, 427)),
    (128, (480, 854), (128, 228)),  # 227.73
    (50, (131, 97), (68, 50)),  # 67.53
    (97, (97, 97), (97, 97)),
])
def test_target_size(size, stored, expected):
    assert target_size(size, stored) == expected


@pytest.mark.parametrize('size', [0, -5, (10,), (10, 0), 'small', True, (1.5, 2)])
def test_bad_size(size):
    with pytest.raises(ValueError, match='size must be None, the shorter side'):
        target_size(size, (97, 131))


def test_image_shrinks_by_means():
    image = np.zeros((4, 4, 3), np.uint8)
    image[:2, :2] = [[[0, 40, 80], [0, 40, 80]], [[100, 40, 80], [100, 40, 80]]]
    np.testing.assert_array_equal(resize_image(image, (2, 2))[0, 0], [50, 40, 80])
    assert resize_image(image, (9, 7)).shape == (9, 7, 3)


def test_mask_needs_half_of_a_pixel():
    mask = np.array([[1, 1, 1, 0], [0, 0, 0, 0]], np.uint8)
    np.testing.assert_array_equal(resize_mask(mask, (1, 2)), [[1, 0]])  # covered 2/4 and 1/4
    np.testing.assert_array_equal(resize_mask(mask[:1], (2, 8)), [[1, 1, 1, 1, 1, 1, 0, 0]] * 2)
    assert resize_mask(mask, (1, 2)).dtype == np.uint8


def test_flow_vectors_scale_with_their_axis():
    flow = np.broadcast_to(np.float32([3, -2]), (8, 6, 2)).copy()
    small = resize_flow(flow, (4, 2))
    np.testing.assert_allclose(small, np.broadcast_to(np.float32([1, -1]), (4, 2, 2)), rtol=1e-6)
    np.testing.assert_allclose(resize_flow(small, (8, 6)), flow, rtol=1e-6)
    assert small.dtype == np.float32


def test_same_size_is_untouched():
    mask, flow = np.ones((3, 4), np.uint8), np.ones((3, 4, 2), np.float32)
    assert resize_mask(mask, (3, 4)) is mask and resize_flow(flow, (3, 4)) is flow


def picture(height, width):
    return np.full((height, width, 3), 3, np.uint8)


def test_a_wide_picture_is_shrunk_in_proportion():
    assert fit_width(picture(100, 200), 50).shape == (25, 50, 3)
    assert fit_width(np.zeros((1, 300), np.uint8), 30).shape == (1, 30)


@pytest.mark.parametrize('size, expected', [((100, 200), (40, 80)), ((300, 150), (80, 40)), ((480, 854), (40, 71))])
def test_the_shorter_side_is_what_counts(size, expected):
    assert fit_shorter_side(picture(*size), 40).shape == (*expected, 3)
    assert fit_shorter_side(np.zeros(size, np.uint8), 40, labels=True).shape == expected


def test_a_small_picture_is_left_alone():
    small = picture(10, 20)
    assert fit_width(small, 20) is small
    assert fit_shorter_side(small, 10) is small


def test_labels_are_not_mixed():
    mask = np.random.default_rng(0).integers(0, 2, (64, 64)).astype(np.uint8) * 7
    assert set(np.unique(fit_width(mask, 20, labels=True))) == {0, 7}
    assert len(np.unique(fit_width(mask, 20))) > 2
    assert set(np.unique(fit_shorter_side(mask, 20, labels=True))) == {0, 7}


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
