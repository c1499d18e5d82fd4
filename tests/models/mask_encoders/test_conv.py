import torch
import torch.nn.functional as F

from tempseg_mm.models.mask_encoders.conv import MaskEncoder


def test_shapes_and_parameters_of_table_a1():
    encoder = MaskEncoder()
    expected = (25 * 1 + 1) * 64 + (9 * 64 + 1) * 128 + (9 * 128 + 1) * 256
    assert sum(p.numel() for p in encoder.parameters()) == expected
    assert encoder(torch.rand(2, 1, 33, 50)).shape == (2, 256, 4, 6)
    assert encoder.out_channels == 256


def test_is_conv_then_relu_then_pooling():
    encoder = MaskEncoder(width=0.0625)
    masks = torch.rand(1, 1, 16, 24)
    x = masks
    for layer in encoder.layers:
        conv = layer.conv
        x = F.relu(F.conv2d(x, conv.weight, conv.bias, padding=conv.kernel_size[0] // 2))
        x = F.max_pool2d(x, 2)
    torch.testing.assert_close(encoder(masks), x)


def test_width_and_own_layers():
    assert MaskEncoder(width=0.25).out_channels == 64
    encoder = MaskEncoder(channels=(4, 6), kernel_sizes=(3, 3))
    assert encoder(torch.rand(1, 1, 8, 8)).shape == (1, 6, 2, 2)
