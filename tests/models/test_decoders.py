import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tempseg_mm.models.backbones.features import Features
from tempseg_mm.models.decoders import SkipDecoder, UnpoolDecoder, UpsampleDecoder


class Recording(SkipDecoder):
    """Repeats each value; writes down what it was given."""

    def enlarge(self, x, skip, switch):
        self.calls.append((tuple(x.shape), tuple(skip.shape), switch))
        return x.repeat_interleave(2, -1).repeat_interleave(2, -2)


def test_levels_go_from_coarse_to_fine():
    decoder = Recording(12, (4, 6, 10)).eval()
    decoder.calls = []
    skips = (torch.randn(1, 4, 8, 16), torch.randn(1, 6, 4, 8), torch.randn(1, 10, 2, 4))
    logits = decoder(Features(torch.randn(1, 12, 1, 2), skips, ('fine', 'middle', 'coarse')))
    assert decoder.calls == [
        ((1, 10, 1, 2), (1, 10, 2, 4), 'coarse'),
        ((1, 6, 2, 4), (1, 6, 4, 8), 'middle'),
        ((1, 4, 4, 8), (1, 4, 8, 16), 'fine')]
    assert logits.shape == (1, 1, 8, 16)


def test_without_switches_each_level_gets_none():
    decoder = Recording(12, (4, 6)).eval()
    decoder.calls = []
    decoder(Features(torch.randn(1, 12, 1, 1), (torch.randn(1, 4, 4, 4), torch.randn(1, 6, 2, 2))))
    assert [switch for _, _, switch in decoder.calls] == [None, None]


def test_kernels_and_widths_of_layers_6_to_11():
    decoder = Recording(512, (64, 128, 256, 512))
    convs = [module for module in decoder.modules() if isinstance(module, nn.Conv2d)]
    assert [(c.in_channels, c.out_channels, c.kernel_size[0]) for c in convs] == [
        (512, 512, 3), (1024, 256, 3), (512, 128, 3), (256, 64, 3), (128, 64, 3), (64, 1, 5)]


def test_own_widths():
    decoder = Recording(12, (4, 6), channels=(20, 9, 5)).eval()
    decoder.calls = []
    convs = [module for module in decoder.modules() if isinstance(module, nn.Conv2d)]
    assert [(c.in_channels, c.out_channels) for c in convs] == [(12, 20), (20 + 6, 9), (9 + 4, 5), (5, 1)]
    skips = (torch.randn(1, 4, 4, 4), torch.randn(1, 6, 2, 2))
    assert decoder(Features(torch.randn(1, 12, 1, 1), skips)).shape == (1, 1, 4, 4)


@pytest.mark.parametrize('channels', [(), (20, 9), (20, 9, 5, 5)])
def test_own_widths_are_one_more_than_the_skips(channels):
    with pytest.raises(ValueError, match='channels must hold 3 numbers, one more than the backbone has skips'):
        Recording(12, (4, 6), channels=channels)


def test_logits_are_not_cut_off_by_a_non_linearity():
    decoder = Recording(4, (2,)).eval()
    decoder.calls = []
    nn.init.constant_(decoder.to_logits.bias, -100)
    logits = decoder(Features(torch.randn(1, 4, 4, 4), (torch.randn(1, 2, 8, 8),)))
    assert logits.max() < 0


def test_dropout_follows_layer_6():
    decoder = Recording(4, (2,), dropout=1.0)
    decoder.calls = []
    skip = torch.randn(1, 2, 8, 8)
    decoder.eval()
    decoder.dropout.train()  # everything from below is dropped: what lies there no longer matters
    first, second = (decoder(Features(torch.randn(1, 4, 4, 4), (skip,))) for _ in range(2))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    decoder.eval()
    first, second = (decoder(Features(torch.randn(1, 4, 4, 4), (skip,))) for _ in range(2))
    assert not torch.allclose(first, second)


def test_logits_start_from_the_share_of_the_object():
    decoder = Recording(4, (2,))
    nn.init.zeros_(decoder.to_logits.weight)
    decoder.calls = []
    logits = decoder(Features(torch.randn(1, 4, 4, 4), (torch.randn(1, 2, 8, 8),)))
    torch.testing.assert_close(torch.sigmoid(logits), torch.full((1, 1, 8, 8), 0.1))


def test_enlarging_is_left_to_the_subclass():
    with pytest.raises(TypeError, match='abstract method.* .?enlarge'):
        SkipDecoder(4, (2,))


def test_values_return_to_where_the_maxima_were():
    skip = torch.tensor([[1., 9., 2., 3.],
                         [4., 5., 8., 0.],
                         [0., 1., 2., 1.],
                         [7., 3., 1., 6.]])[None, None]
    _, switch = F.max_pool2d(skip, 2, return_indices=True)
    values = torch.tensor([[10., 20.], [30., 40.]])[None, None]
    enlarged = UnpoolDecoder(1, (1,)).enlarge(values, skip, switch)
    assert enlarged[0, 0].tolist() == [[0, 10, 0, 0],
                                       [0, 0, 20, 0],
                                       [0, 0, 0, 0],
                                       [30, 0, 0, 40]]


def test_a_backbone_without_switches_is_refused():
    decoder = UnpoolDecoder(4, (2,))
    with pytest.raises(ValueError, match='needs a backbone that keeps its pooling switches.*UpsampleDecoder'):
        decoder(Features(torch.randn(1, 4, 4, 4), (torch.randn(1, 2, 8, 8),)))


def test_maps_without_a_switch_are_refused():
    skip = torch.randn(1, 2, 8, 8)
    _, switch = F.max_pool2d(skip, 2, return_indices=True)
    with pytest.raises(ValueError, match='has 3 maps to enlarge, but switches for 2. Leave `channels` out'):
        UnpoolDecoder(4, (2,), channels=(3, 2))(Features(torch.randn(1, 4, 4, 4), (skip,), (switch,)))


def test_enlarges_linearly_to_the_size_of_the_skip():
    decoder = UpsampleDecoder(1, (1,))
    enlarged = decoder.enlarge(torch.tensor([[[[0., 4.]]]]), torch.zeros(1, 1, 2, 4), None)
    assert enlarged[0, 0].tolist() == [[0, 1, 3, 4], [0, 1, 3, 4]]  # samples at -1/4, 1/4, 3/4, 5/4 of the way


def test_needs_no_switches_and_takes_any_stride():
    decoder = UpsampleDecoder(4, (2,)).eval()
    skip = torch.randn(1, 2, 12, 8)
    assert decoder(Features(torch.randn(1, 4, 3, 2), (skip,))).shape == (1, 1, 12, 8)
