import torch

from tempseg_mm.models.backbones.features import Features
from tempseg_mm.models.decoders.upsample import UpsampleDecoder


def test_enlarges_linearly_to_the_size_of_the_skip():
    decoder = UpsampleDecoder(1, (1,))
    enlarged = decoder.enlarge(torch.tensor([[[[0., 4.]]]]), torch.zeros(1, 1, 2, 4), None)
    assert enlarged[0, 0].tolist() == [[0, 1, 3, 4], [0, 1, 3, 4]]  # samples at -1/4, 1/4, 3/4, 5/4 of the way


def test_needs_no_switches_and_takes_any_stride():
    decoder = UpsampleDecoder(4, (2,)).eval()
    skip = torch.randn(1, 2, 12, 8)
    assert decoder(Features(torch.randn(1, 4, 3, 2), (skip,))).shape == (1, 1, 12, 8)
