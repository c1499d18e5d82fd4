import torch

from tempseg_mm.models.backbones.features import Features


def test_switches_may_be_missing():
    features = Features(torch.zeros(1), (torch.ones(1),))
    assert features.switches is None
    bottom, skips, _ = features
    assert bottom.item() == 0 and skips[0].item() == 1
