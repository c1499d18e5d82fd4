import dataclasses

import pytest
import torch

from tempseg_mm.structures.clip_batch import ClipBatch, ClipPrediction

LOGITS = torch.tensor([-2., 0., 3.]).view(1, 3, 1, 1, 1)


def test_masks_are_probabilities():
    torch.testing.assert_close(ClipPrediction(LOGITS).masks.flatten(), torch.tensor([0.11920292, 0.5, 0.95257413]))


@pytest.mark.parametrize('dtype, expected', [
    (torch.bfloat16, torch.float32), (torch.float32, torch.float32), (torch.float64, torch.float64)])
def test_masks_are_at_least_single_precision(dtype, expected):
    assert ClipPrediction(LOGITS.to(dtype)).masks.dtype is expected


def test_verdicts_are_hard_and_without_gradient():
    fake_logits = torch.tensor([[-1., 0., 2.]], requires_grad=True)
    verdicts = ClipPrediction(LOGITS, fake_logits).verdicts
    assert verdicts.tolist() == [[False, False, True]]  # undecided is not "taken for real"
    assert not verdicts.requires_grad


def test_no_verdicts_without_adversary():
    assert ClipPrediction(LOGITS).verdicts is None


def test_a_batch_is_not_changed_by_mistake():
    batch = ClipBatch(*[torch.zeros(1)] * 4)
    with pytest.raises(dataclasses.FrozenInstanceError):
        batch.flow = torch.ones(1)


def test_a_batch_tells_its_frames():
    tensors = [torch.zeros(1)] * 4
    assert ClipBatch(*tensors, ('bear', 'camel'), ((3, 4), (0, 1))).origin == 'bear 3 4, camel 0 1'
    assert ClipBatch(*tensors, ('bear', 'camel')).origin == 'bear, camel'
