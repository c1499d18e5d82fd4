import pytest
import torch

from tempseg_mm.flow.flownet2.flownet_s import FlowNetS


@pytest.mark.parametrize('in_channels, parameters', [(12, 38_695_322), (6, 38_695_322 - 64 * 6 * 49)])
def test_shape_and_size(in_channels, parameters):
    with torch.device('meta'):
        network = FlowNetS(in_channels)
        assert network(torch.zeros(2, in_channels, 64, 128)).shape == (2, 2, 16, 32)
    assert len(network.state_dict()) == 42
    assert sum(weights.numel() for weights in network.parameters()) == parameters
    assert network.upsampled_flow3_to_2.bias is None
