import torch

from tempseg_mm.flow.flownet2.fusion import FusionNet


def test_shape_and_size():
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
