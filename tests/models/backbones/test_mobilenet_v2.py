import pytest
import torch
from torch import nn

from tempseg_mm.models.backbones.mobilenet_v2 import MobileNetV2Backbone
from tempseg_mm.registry import MODELS

MAPS = (32, 16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320)  # of features.0 to features.17


def torchvision_layout():
    """Key -> shape of the 314 entries of torchvision's ``mobilenet_v2``."""
    layout = {}

    def conv_and_norm(conv, norm, shape):
        layout[f'{conv}.weight'] = shape
        layout.update({f'{norm}.{name}': shape[:1] for name in ('weight', 'bias', 'running_mean', 'running_var')})
        layout[f'{norm}.num_batches_tracked'] = ()

    conv_and_norm('features.0.0', 'features.0.1', (32, 3, 3, 3))
    for index, (c_in, c_out) in enumerate(zip(MAPS, MAPS[1:]), start=1):
        block, hidden, part = f'features.{index}.conv', c_in if index == 1 else 6 * c_in, 0
        if index > 1:
            conv_and_norm(f'{block}.0.0', f'{block}.0.1', (hidden, c_in, 1, 1))
            part = 1
        conv_and_norm(f'{block}.{part}.0', f'{block}.{part}.1', (hidden, 1, 3, 3))
        conv_and_norm(f'{block}.{part + 1}', f'{block}.{part + 2}', (c_out, hidden, 1, 1))
    conv_and_norm('features.18.0', 'features.18.1', (1280, 320, 1, 1))
    return {**layout, 'classifier.1.weight': (1000, 1280), 'classifier.1.bias': (1000,)}


def test_keys_and_shapes_are_those_of_torchvision():
    layout = torchvision_layout()
    assert len(layout) == 314
    backbone = MobileNetV2Backbone()
    expected = {key: shape for key, shape in layout.items() if not key.startswith(backbone.unused_weights)}
    assert len(expected) == 306
    assert {key: tuple(value.shape) for key, value in backbone.state_dict().items()} == expected


@pytest.mark.parametrize('output_stride, skip_channels', [(32, (16, 24, 32, 96)), (16, (16, 24, 32))])
def test_shapes(output_stride, skip_channels):
    backbone = MobileNetV2Backbone(4, output_stride=output_stride).eval()
    features = backbone(torch.randn(1, 4, 64, 96))
    assert [tuple(skip.shape) for skip in features.skips] == [
        (1, c, 32 >> level, 48 >> level) for level, c in enumerate(skip_channels)]
    assert features.bottom.shape == (1, 320, 64 // output_stride, 96 // output_stride)
    assert features.switches is None
    assert (backbone.stride, backbone.skip_channels, backbone.bottom_channels) == (output_stride, skip_channels, 320)


def depthwise(backbone):
    found = [m for m in backbone.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)]
    return [(conv.stride[0], conv.dilation[0], conv.padding[0]) for conv in found[1:]]


def test_strides_as_published_and_dilation_in_place_of_the_last():
    published = [(2 if index in (2, 4, 7, 14) else 1, 1, 1) for index in range(1, 18)]
    assert depthwise(MobileNetV2Backbone()) == published
    assert depthwise(MobileNetV2Backbone(output_stride=16)) == published[:13] + [(1, 1, 1)] + 3 * [(1, 2, 2)]


def test_dilated_map_holds_the_published_one_at_every_second_place():
    coarse, fine = (MobileNetV2Backbone(width=0.125, output_stride=stride).eval() for stride in (32, 16))
    fine.load_state_dict(coarse.state_dict())
    x = torch.randn(1, 3, 128, 128)
    torch.testing.assert_close(fine(x).bottom[..., ::2, ::2], coarse(x).bottom)


def test_skips_are_the_last_maps_before_the_resolution_halves():
    backbone = MobileNetV2Backbone(width=0.125).eval()
    x = torch.randn(1, 3, 32, 32)
    for layers, skip in zip((2, 4, 7, 14), backbone(x).skips):
        torch.testing.assert_close(backbone.features[:layers](x), skip)


def test_input_is_added_where_size_and_number_of_maps_stay():
    adds = [layer.adds_input for layer in MobileNetV2Backbone(width=0.5).features[1:]]
    assert [index for index, added in enumerate(adds, start=1) if added] == [3, 5, 6, 8, 9, 10, 12, 13, 15, 16]


def test_width_multiplies_every_layer_and_never_goes_below_one_map():
    assert MobileNetV2Backbone(width=0.25).skip_channels == (4, 6, 8, 24)
    assert MobileNetV2Backbone(width=0.001).skip_channels == (1, 1, 1, 1)


def test_other_output_strides_are_refused():
    with pytest.raises(ValueError, match=r'output_stride must be one of \(16, 32\), got 8'):
        MobileNetV2Backbone(output_stride=8)


def test_unpooling_needs_switches():
    net = MODELS.build(dict(type='EncoderDecoderGenerator', width=0.0625, backbone=dict(type='MobileNetV2Backbone'),
                            decoder=dict(type='UnpoolDecoder'))).eval()
    with pytest.raises(ValueError, match='needs a backbone that keeps its pooling switches'):
        net(torch.randn(1, 3, 32, 32), torch.zeros(1, 1, 32, 32))
