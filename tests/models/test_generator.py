import pytest
import torch

from tempseg_mm.registry import MODELS

WIDTHS = (64, 128, 256, 512, 512, 512, 256, 128, 64, 64)  # Table A.1; layer 10 has 64 maps in our reading
KERNELS = (5, 3, 3, 3, 3, 3, 3, 3, 3, 3, 5)


def generator(**changes):
    return MODELS.build({**dict(type='EncoderDecoderGenerator', backbone=dict(type='TempSegBackbone'),
                                decoder=dict(type='UnpoolDecoder')), **changes})


def parameters_of_table_a1(in_channels):
    """Layer i + 1 reads layer i; layers 7 to 10 also read the skip from layer 4, 3, 2, 1."""
    inputs = [in_channels, *WIDTHS[:6], *WIDTHS[6:10]]
    for layer, skip in zip((7, 8, 9, 10), (4, 3, 2, 1)):
        assert inputs[layer - 1] == WIDTHS[skip - 1]  # else unpooling would not find a switch for every map
        inputs[layer - 1] += WIDTHS[skip - 1]
    hidden = sum(c_in * c_out * k**2 + 2 * c_out for c_in, c_out, k in zip(inputs, WIDTHS, KERNELS))
    return hidden + inputs[10] * KERNELS[10]**2 + 1  # the logits: no normalisation, a bias


@pytest.mark.parametrize('mode, in_channels, expected', [('none', 3, 9448577), ('input', 4, 9450177)])
def test_parameters_at_full_width(mode, in_channels, expected):
    count = sum(p.numel() for p in generator(reference_mask=mode).parameters())
    assert count == parameters_of_table_a1(in_channels) == expected


@pytest.mark.parametrize('decoder', ['UnpoolDecoder', 'UpsampleDecoder'])
@pytest.mark.parametrize('size', [(97, 131), (32, 48), (1, 1)])
def test_any_frame_size_in_and_out(decoder, size):
    net = MODELS.build(dict(type='EncoderDecoderGenerator', backbone=dict(type='TempSegBackbone'),
                            decoder=dict(type=decoder), width=0.0625)).eval()
    logits = net(torch.randn(2, 3, *size), torch.rand(2, 1, *size))
    assert logits.shape == (2, 1, *size)
    assert logits.std() > 0 or size == (1, 1)


@pytest.mark.parametrize('size', [(97, 131), (32, 48), (1, 1)])
def test_logits_of_a_strided_backbone_are_enlarged(size):
    net = generator(width=0.125, backbone=dict(type='MobileNetV2Backbone'), decoder=dict(type='UpsampleDecoder')).eval()
    frames, references = torch.randn(2, 3, *size), torch.rand(2, 1, *size)
    logits = net(frames, references)
    assert logits.shape == (2, 1, *size)
    if size == (32, 48):
        x = torch.cat([frames, references], dim=1)
        x = torch.nn.functional.pad(x, (0, 16, 0, 0), mode='replicate')  # a multiple of 32
        half = net.decoder(net.backbone(x))
        assert half.shape == (2, 1, 16, 32)
        a, b, c, d = half[0, 0, 4, 7], half[0, 0, 4, 8], half[0, 0, 5, 7], half[0, 0, 5, 8]
        torch.testing.assert_close(logits[0, 0, 9, 15], (9 * a + 3 * b + 3 * c + d) / 16)


def test_padding_is_at_the_right_and_the_bottom():
    net = generator(width=0.0625).eval()
    frames, references = torch.randn(1, 3, 32, 48), torch.rand(1, 1, 32, 48)
    frames[..., -3:], references[..., -3:] = frames[..., -4:-3], references[..., -4:-3]
    whole = net(frames, references)
    cropped = net(frames[..., :-3], references[..., :-3])  # padding repeats the edge, which makes it the same frame
    torch.testing.assert_close(cropped, whole[..., :-3])


def test_reference_none_ignores_the_reference():
    net = generator(width=0.0625, reference_mask='none').eval()
    frames = torch.randn(1, 3, 32, 32)
    torch.testing.assert_close(net(frames, torch.zeros(1, 1, 32, 32)), net(frames, torch.ones(1, 1, 32, 32)),
                               rtol=0, atol=0)
    assert not net.uses_reference


def test_reference_input_is_read():
    net = generator(width=0.0625).eval()
    frames = torch.randn(1, 3, 32, 32)
    assert not torch.allclose(net(frames, torch.zeros(1, 1, 32, 32)), net(frames, torch.ones(1, 1, 32, 32)))


def test_width_multiplies_every_layer():
    net = generator(width=0.5)
    assert [layer.conv.out_channels for layer in net.backbone.layers] == [32, 64, 128, 256, 256]
    assert [level.conv.out_channels for level in net.decoder.levels] == [128, 64, 32, 32]


def test_every_parameter_gets_a_gradient():
    net = generator(width=0.0625)
    net(torch.randn(2, 3, 32, 32), torch.rand(2, 1, 32, 32)).square().sum().backward()
    assert [name for name, p in net.named_parameters() if p.grad is None] == []


def test_unknown_mode_is_refused():
    with pytest.raises(ValueError, match=r"reference_mask must be one of \('input', 'none'\), got 'sideways'"):
        generator(reference_mask='sideways')
