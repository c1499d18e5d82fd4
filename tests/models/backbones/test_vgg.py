import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tempseg_mm.models.backbones.vgg import VGGBackbone
from tempseg_mm.registry import MODELS

# Where torchvision's `vgg16` and `vgg16_bn` have their convolutions, and how many maps those make.
CONVOLUTIONS = {False: (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
                True: (0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40)}
MAPS = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)


@pytest.mark.parametrize('bn', [False, True])
def test_keys_and_shapes_are_those_of_torchvision(bn):
    expected = {}
    for index, c_in, c_out in zip(CONVOLUTIONS[bn], (3, *MAPS), MAPS):
        expected.update({f'features.{index}.weight': (c_out, c_in, 3, 3), f'features.{index}.bias': (c_out,)})
        if bn:
            names = ('weight', 'bias', 'running_mean', 'running_var')
            expected.update({f'features.{index + 1}.{name}': (c_out,) for name in names})
            expected[f'features.{index + 1}.num_batches_tracked'] = ()
    assert {key: tuple(value.shape) for key, value in VGGBackbone(bn=bn).state_dict().items()} == expected


def test_shapes_follow_the_stages():
    backbone = VGGBackbone(4, width=0.125).eval()
    features = backbone(torch.randn(2, 4, 32, 48))
    assert [tuple(skip.shape) for skip in features.skips] == [
        (2, 8, 32, 48), (2, 16, 16, 24), (2, 32, 8, 12), (2, 64, 4, 6)]
    assert [tuple(switch.shape) for switch in features.switches] == [
        (2, 8, 16, 24), (2, 16, 8, 12), (2, 32, 4, 6), (2, 64, 2, 3)]
    assert features.bottom.shape == (2, 64, 2, 3)
    assert (backbone.stride, backbone.skip_channels, backbone.bottom_channels) == (16, (8, 16, 32, 64), 64)


def test_computes_what_the_layers_say_one_by_one():
    backbone = VGGBackbone(3, width=0.0625, bn=False).eval()
    x = image = torch.randn(1, 3, 16, 16)
    skips = []
    for number, index in enumerate(CONVOLUTIONS[False]):
        if number in (2, 4, 7, 10):
            skips.append(x)
            x = F.max_pool2d(x, 2)
        layer = backbone.features[index]
        x = F.relu(F.conv2d(x, layer.weight, layer.bias, padding=1))
    features = backbone(image)
    torch.testing.assert_close(features.bottom, x)
    for found, expected in zip(features.skips, skips):
        torch.testing.assert_close(found, expected)


def test_unpools_in_the_generator():
    net = MODELS.build(dict(type='EncoderDecoderGenerator', width=0.0625, backbone=dict(type='VGGBackbone'),
                            decoder=dict(type='UnpoolDecoder'))).eval()
    assert net(torch.randn(1, 3, 35, 50), torch.zeros(1, 1, 35, 50)).shape == (1, 1, 35, 50)


def test_width_never_goes_below_one_map():
    assert VGGBackbone(width=0.001).skip_channels == (1, 1, 1, 1)


def test_fresh_weights_carry_a_signal_through_all_layers():
    x = torch.randn(1, 3, 64, 64)
    backbone = VGGBackbone(width=0.25, bn=False).eval()
    fresh = backbone(x).bottom.std()
    for module in backbone.modules():
        if isinstance(module, nn.Conv2d):
            module.reset_parameters()  # PyTorch's own
    assert backbone(x).bottom.std() < 0.1 * fresh
    backbone.reset_parameters()
    assert 0.5 * fresh < backbone(x).bottom.std() < 2 * fresh
