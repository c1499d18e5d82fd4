import pytest
import torch

from tempseg_mm.models.backbones.tempseg import TempSegBackbone
from tempseg_mm.registry import MODELS


def test_shapes_follow_table_a1():
    backbone = TempSegBackbone(3, width=0.125).eval()
    features = backbone(torch.randn(2, 3, 32, 48))
    assert [tuple(skip.shape) for skip in features.skips] == [
        (2, 8, 32, 48), (2, 16, 16, 24), (2, 32, 8, 12), (2, 64, 4, 6)]
    assert [tuple(switch.shape) for switch in features.switches] == [
        (2, 8, 16, 24), (2, 16, 8, 12), (2, 32, 4, 6), (2, 64, 2, 3)]
    assert features.bottom.shape == (2, 64, 2, 3)
    assert (backbone.stride, backbone.skip_channels, backbone.bottom_channels) == (16, (8, 16, 32, 64), 64)


def test_parameters_of_layers_1_to_5():
    def conv_and_norm(c_in, c_out, kernel):
        return c_in * c_out * kernel**2 + 2 * c_out  # no bias before batch normalisation

    expected = (conv_and_norm(3, 64, 5) + conv_and_norm(64, 128, 3) + conv_and_norm(128, 256, 3)
                + conv_and_norm(256, 512, 3) + conv_and_norm(512, 512, 3))
    assert sum(p.numel() for p in TempSegBackbone().parameters()) == expected == 3915328


def test_switches_point_at_the_maxima():
    features = TempSegBackbone(3, width=0.0625).eval()(torch.randn(1, 3, 16, 16))
    skip, switch = features.skips[0], features.switches[0]
    windows = skip.unfold(2, 2, 2).unfold(3, 2, 2)
    torch.testing.assert_close(skip.flatten(2).gather(2, switch.flatten(2)), windows.amax((-2, -1)).flatten(2))


def test_dropout_acts_on_the_deepest_map_only():
    backbone = TempSegBackbone(3, width=0.125, dropout=0.5)
    backbone.eval()
    backbone.dropout.train()
    x = torch.randn(1, 3, 64, 64)
    first, second = backbone(x), backbone(x)
    assert not torch.equal(first.bottom, second.bottom)
    assert all(torch.equal(a, b) for a, b in zip(first.skips, second.skips))
    backbone.eval()
    torch.testing.assert_close(backbone(x).bottom, backbone(x).bottom, rtol=0, atol=0)


def test_own_widths_and_depth():
    backbone = MODELS.build(dict(type='TempSegBackbone', in_channels=4, channels=(6, 10), kernel_sizes=(3, 1)))
    features = backbone.eval()(torch.randn(1, 4, 8, 8))
    assert backbone.stride == 2 and features.bottom.shape == (1, 10, 4, 4)


def test_one_kernel_a_layer():
    with pytest.raises(ValueError, match='channels and kernel_sizes must have the same length, got 5 and 4'):
        TempSegBackbone(kernel_sizes=(5, 3, 3, 3))
