import torch
from torch import nn

from tempseg_mm.models.discriminators.conv import ConvDiscriminator


def test_parameters_of_table_a1():
    discriminator = ConvDiscriminator(256)
    convs = (9 * 256 + 1) * 256 + (25 * 256 + 1) * 512 + (25 * 512 + 1) * 512
    connected = (512 * 4 * 4 + 1) * 1024 + (1024 + 1) * 512 + (512 + 1) * 1
    assert sum(p.numel() for p in discriminator.parameters()) == convs + connected
    linear = [module for module in discriminator.modules() if isinstance(module, nn.Linear)]
    assert [layer.out_features for layer in linear] == [1024, 512, 1]


def test_one_logit_a_mask_for_any_size():
    discriminator = ConvDiscriminator(16, width=0.0625)
    for size in ((12, 16), (5, 7), (1, 1)):
        assert discriminator(torch.randn(3, 16, *size)).shape == (3,)


def test_strides_and_grid():
    discriminator = ConvDiscriminator(16, width=0.0625, pool_size=2)
    assert discriminator.convs(torch.randn(1, 16, 12, 16)).shape == (1, 32, 3, 4)
    unstrided = ConvDiscriminator(16, width=0.0625, strides=(1, 1, 1))
    assert unstrided.convs(torch.randn(1, 16, 12, 16)).shape == (1, 32, 12, 16)
    assert discriminator.hidden[0][0].in_features == 32 * 2 * 2


def test_logits_take_both_signs():
    discriminator = ConvDiscriminator(16, width=0.0625)
    nn.init.zeros_(discriminator.to_logit.weight)
    nn.init.constant_(discriminator.to_logit.bias, -3.)
    assert discriminator(torch.randn(2, 16, 8, 8)).tolist() == [-3, -3]  # no ReLU, no sigmoid at the end
