import torch

from tempseg_mm.flow.flownet2.flownet_sd import FlowNetSD


def test_shape_and_size():
    with torch.device('meta'):
        network = FlowNetSD()
        assert network(torch.zeros(2, 6, 64, 128)).shape == (2, 2, 16, 32)
    assert len(network.state_dict()) == 60
    assert sum(weights.numel() for weights in network.parameters()) == 45_371_666
    assert len(network.inter_conv5) == 1  # nothing after the convolution
    assert network.conv0[0].kernel_size == network.conv1[0].kernel_size == (3, 3)
