import torch

from tempseg_mm.flow.flownet2.correlation import correlation_by_shifts
from tempseg_mm.flow.flownet2.flownet_c import FlowNetC


def test_shape_and_size():
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
