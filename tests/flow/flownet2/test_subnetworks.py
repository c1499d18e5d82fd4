import pytest
import torch

from tempseg_mm.flow.flownet2.blocks import correlation_by_shifts
from tempseg_mm.flow.flownet2.subnetworks import FlowNetC, FlowNetS, FlowNetSD, FusionNet


def test_shape_and_size_of_c():
    with torch.device('meta'):
        network = FlowNetC()
        assert network(torch.zeros(2, 6, 64, 128)).shape == (2, 2, 16, 32)
    assert len(network.state_dict()) == 48
    assert sum(weights.numel() for weights in network.parameters()) == 39_175_298


def test_features_are_those_of_the_first_frame_and_of_both(monkeypatch):
    network = FlowNetC().eval()
    frames, seen = torch.randn(1, 6, 64, 64), {}
    network.conv3_1.register_forward_pre_hook(lambda layer, inputs: seen.update(joined=inputs[0]))
    monkeypatch.setattr(network, 'decode', lambda features: seen.update(features))
    with torch.no_grad():
        network(frames)
        level2, next_level2 = (network.conv2(network.conv1(frame)) for frame in (frames[:, :3], frames[:, 3:]))
        level3, next_level3 = network.conv3(level2), network.conv3(next_level2)
        alike = correlation_by_shifts(level3, next_level3)
        joined = torch.cat([network.conv_redir(level3), torch.where(alike > 0, alike, 0.1 * alike)], dim=1)
    torch.testing.assert_close(seen['joined'], joined)
    torch.testing.assert_close(seen[2], level2)


@pytest.mark.parametrize('in_channels, parameters', [(12, 38_695_322), (6, 38_695_322 - 64 * 6 * 49)])
def test_shape_and_size(in_channels, parameters):
    with torch.device('meta'):
        network = FlowNetS(in_channels)
        assert network(torch.zeros(2, in_channels, 64, 128)).shape == (2, 2, 16, 32)
    assert len(network.state_dict()) == 42
    assert sum(weights.numel() for weights in network.parameters()) == parameters
    assert network.upsampled_flow3_to_2.bias is None


def test_shape_and_size_of_s():
    with torch.device('meta'):
        network = FlowNetSD()
        assert network(torch.zeros(2, 6, 64, 128)).shape == (2, 2, 16, 32)
    assert len(network.state_dict()) == 60
    assert sum(weights.numel() for weights in network.parameters()) == 45_371_666
    assert len(network.inter_conv5) == 1  # nothing after the convolution
    assert network.conv0[0].kernel_size == network.conv1[0].kernel_size == (3, 3)


def test_shape_and_size_of_sd():
    with torch.device('meta'):
        network = FusionNet()
        assert network(torch.zeros(2, 11, 64, 128)).shape == (2, 2, 64, 128)
    assert len(network.state_dict()) == 28
    assert sum(weights.numel() for weights in network.parameters()) == 581_226


def test_fine_flow_follows_the_coarse_one_when_only_that_is_passed_on():
    network = FusionNet()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        network.predict_flow2.bias.copy_(torch.tensor([1., -2.]))
        for name, carried in (('2_to_1', 128 + 32), ('1_to_0', 64 + 16)):
            level = name[-1]
            for c in range(2):
                getattr(network, f'upsampled_flow{name}').weight[c, c, 1:3, 1:3] = 1  # each pixel becomes four
                network.get_submodule(f'inter_conv{level}')[0].weight[c, carried + c, 1, 1] = 1
                network.get_submodule(f'predict_flow{level}').weight[c, c, 1, 1] = 1
        flow = network(torch.randn(1, 11, 8, 12))
    torch.testing.assert_close(flow, torch.tensor([1., -2.]).view(1, 2, 1, 1).expand(1, 2, 8, 12))
