import pytest
import torch
import torch.nn.functional as F

from tempseg_mm.models.backbones.features import Features
from tempseg_mm.models.decoders.unpool import UnpoolDecoder


def test_values_return_to_where_the_maxima_were():
    skip = torch.tensor([[1., 9., 2., 3.],
                         [4., 5., 8., 0.],
                         [0., 1., 2., 1.],
                         [7., 3., 1., 6.]])[None, None]
    _, switch = F.max_pool2d(skip, 2, return_indices=True)
    values = torch.tensor([[10., 20.], [30., 40.]])[None, None]
    enlarged = UnpoolDecoder(1, (1,)).enlarge(values, skip, switch)
    assert enlarged[0, 0].tolist() == [[0, 10, 0, 0],
                                       [0, 0, 20, 0],
                                       [0, 0, 0, 0],
                                       [30, 0, 0, 40]]


def test_a_backbone_without_switches_is_refused():
    decoder = UnpoolDecoder(4, (2,))
    with pytest.raises(ValueError, match='needs a backbone that keeps its pooling switches.*UpsampleDecoder'):
        decoder(Features(torch.randn(1, 4, 4, 4), (torch.randn(1, 2, 8, 8),)))


def test_maps_without_a_switch_are_refused():
    skip = torch.randn(1, 2, 8, 8)
    _, switch = F.max_pool2d(skip, 2, return_indices=True)
    with pytest.raises(ValueError, match='has 3 maps to enlarge and switches for 2: leave `channels` out'):
        UnpoolDecoder(4, (2,), channels=(3, 2))(Features(torch.randn(1, 4, 4, 4), (skip,), (switch,)))
