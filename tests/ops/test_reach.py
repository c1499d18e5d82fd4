import numpy as np
import pytest
import torch

from tempseg_mm.ops.reach import within_reach


@pytest.mark.parametrize('reach', [0, 0.1, 0.5, 2])
def test_against_the_definition(reach):
    masks = torch.zeros(3, 1, 20, 31)
    masks[0, 0, 4:9, 10:14] = 1
    masks[1, 0, 19, 30] = 0.6
    masks[1, 0, 2, 3] = 0.9
    masks[2, 0, 0, :] = 0.51
    near = within_reach(masks, reach)
    for mask, result in zip(masks[:, 0].numpy() > 0.5, near[:, 0].numpy()):
        radius = round(reach * mask.sum() ** 0.5)
        rows, columns = np.nonzero(mask)
        grid = np.stack(np.mgrid[:20, :31])[..., None]
        distance = np.abs(grid - np.stack([rows, columns])[:, None, None]).max(0).min(-1)
        assert (result == (distance <= radius)).all()


def test_an_empty_mask_reaches_everywhere():
    assert within_reach(torch.full((1, 1, 4, 5), 0.5), 0.1).all()
