import pytest
import torch
from torch import nn

from tempseg_mm.flow.flownet2.blocks import FlowDecoder, add_deep_layers, conv, deconv, deep_features


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
