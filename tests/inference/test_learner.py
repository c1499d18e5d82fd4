import gc
import weakref

import pytest
import torch
from torch import nn

from tempseg_mm.inference.learner import Learner, at_once, can_be_recorded


@pytest.mark.parametrize('optimizer, recorded, added', [
    (dict(type='Adam', lr=0.1), True, dict(fused=True, capturable=True)),
    (dict(type='AdamW', lr=0.1), False, dict(fused=True)),
    (dict(type='Adam', foreach=True), True, dict(capturable=True)),
    (dict(type='Adam', fused=False), False, dict()),
    (dict(type='SGD', lr=0.1), True, dict(fused=True)),
    (dict(type=torch.optim.NAdam), True, dict(capturable=True)),
    (dict(type='Adagrad'), True, dict()),  # fused on a CPU only
    (dict(type=type('Own', (torch.optim.Adam,), {})), False, dict()),  # may not take the argument
    (dict(type='Unknown'), True, dict()),
])
def test_what_lets_an_optimiser_update_at_once(optimizer, recorded, added):
    assert at_once(optimizer, recorded=recorded) == {**added, **optimizer}


@pytest.mark.parametrize('kind, settings, expected', [
    (torch.optim.Adam, dict(), False), (torch.optim.Adam, dict(capturable=True), True),
    (torch.optim.SGD, dict(lr=0.1, momentum=0.9), True), (torch.optim.Adagrad, dict(), False)])
def test_which_optimisers_can_be_recorded(kind, settings, expected):
    assert can_be_recorded(kind([nn.Parameter(torch.zeros(1))], **settings)) == expected


def test_nothing_of_it_stays_in_memory(make_model, clip_batch):
    """Online adaptation makes one after another, and the garbage collector may come late."""
    model = make_model().eval()
    learner = Learner(model, model.generator, dict(type='Adam'), leave_out=['adv'])
    learner._batch = lambda packed: clip_batch
    gc.disable()
    try:
        learner.step([[]], 'here')
        learner.finish()
        kept = weakref.ref(learner)
        del learner
        assert kept() is None
    finally:
        gc.enable()
