import pytest
import torch
from torch import nn

from tempseg_mm.flow.flownet2.blocks import (
    FlowDecoder,
    add_deep_layers,
    conv,
    correlation,
    correlation_by_shifts,
    deconv,
    deep_features,
)

BOTH = pytest.mark.parametrize('function', [correlation, correlation_by_shifts])


def test_conv_and_deconv_keep_halve_and_double():
    images = torch.randn(1, 3, 8, 12)
    assert conv(3, 5, 7)(images).shape == (1, 5, 8, 12)
    assert conv(3, 5, stride=2)(images).shape == (1, 5, 4, 6)
    assert deconv(3, 5)(images).shape == (1, 5, 16, 24)


@pytest.mark.parametrize('block', [conv(1, 1, 1), deconv(1, 1)])
def test_slope_of_negative_values(block):
    with torch.no_grad():
        block[0].weight.zero_()
        block[0].bias.fill_(-1)
        torch.testing.assert_close(block(torch.zeros(1, 1, 2, 2)).mean(), torch.tensor(-0.1))


@pytest.mark.parametrize('inter_convs', [False, True])
def test_decoder_carries_features_flow_and_itself(inter_convs):
    decoder = FlowDecoder({2: 4, 1: 3}, {1: 5}, inter_convs=inter_convs, upsampling_bias=False).double()
    features = {2: torch.randn(1, 4, 2, 3).double(), 1: torch.randn(1, 3, 4, 6).double()}
    coarse = decoder.predict_flow2(features[2])
    carried = torch.cat([features[1], decoder.deconv1(features[2]), decoder.upsampled_flow2_to_1(coarse)], dim=1)
    wanted = decoder.predict_flow1(decoder.inter_conv1(carried) if inter_convs else carried)
    torch.testing.assert_close(decoder.decode(features), wanted)
    assert hasattr(decoder, 'inter_conv1') == inter_convs
    assert decoder.upsampled_flow2_to_1.bias is None
    assert decoder.predict_flow1.in_channels == (5 if inter_convs else 3 + 5 + 2)


def test_deep_features_halve_three_times():
    with torch.device('meta'):
        network = nn.Module()
        add_deep_layers(network)
        features = deep_features(network, torch.zeros(1, 256, 16, 8))
    assert [tuple(features[level].shape[1:]) for level in (3, 4, 5, 6)] == [
        (256, 16, 8), (512, 8, 4), (512, 4, 2), (1024, 2, 1)]


def loops(first, second, radius, stride):
    """The definition, pixel by pixel."""
    n, channels, height, width = first.shape
    reach = range(-radius, radius + 1)
    out = torch.zeros(n, len(reach) ** 2, height, width)
    for i in range(n):
        for k, (dy, dx) in enumerate((dy, dx) for dy in reach for dx in reach):
            for y in range(height):
                for x in range(width):
                    to_y, to_x = y + stride * dy, x + stride * dx
                    if 0 <= to_y < height and 0 <= to_x < width:
                        out[i, k, y, x] = sum(first[i, c, y, x] * second[i, c, to_y, to_x]
                                              for c in range(channels)) / channels
    return out


@BOTH
@pytest.mark.parametrize('size, radius, stride', [((4, 6), 1, 2), ((5, 3), 2, 2), ((3, 4), 1, 1), ((4, 5), 1, 3)])
def test_is_the_definition(function, size, radius, stride):
    first, second = torch.randn(2, 2, 3, *size)
    torch.testing.assert_close(function(first, second, radius=radius, stride=stride),
                               loops(first, second, radius, stride))


@BOTH
def test_a_moved_point_is_found_where_it_went(function):
    first, second = torch.zeros(2, 1, 4, 16, 24)
    first[0, :, 6, 9] = 1
    second[0, :, 6 - 4, 9 + 6] = 2  # two steps up, three to the right
    out = function(first, second)
    assert out.shape == (1, 441, 16, 24)
    assert out.nonzero().tolist() == [[0, (10 - 2) * 21 + 10 + 3, 6, 9]]
    assert out.max() == 2


def test_both_agree_with_the_numbers_of_flownet_c():
    first, second = torch.randn(2, 1, 16, 8, 14)
    torch.testing.assert_close(correlation(first, second), correlation_by_shifts(first, second))


@BOTH
def test_gradient(function):
    first, second = (torch.randn(1, 2, 3, 4, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(lambda a, b: function(a, b, radius=1), (first, second))


@BOTH
@pytest.mark.parametrize('shape, other', [((1, 2, 4, 4), (1, 2, 4, 6)), ((2, 4, 4), (2, 4, 4))])
def test_maps_must_be_alike(function, shape, other):
    with pytest.raises(ValueError, match=r'two maps of one shape \(N, C, H, W\)'):
        function(torch.zeros(shape), torch.zeros(other))
