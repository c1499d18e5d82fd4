import dataclasses

import pytest
import torch

from tempseg_mm.structures.clip_batch import ClipBatch, ClipPrediction, without_void

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


@pytest.fixture
def void(clip_batch):
    """The left half of each frame, with a part of the object."""
    found = torch.zeros_like(clip_batch.gt_masks, dtype=torch.bool)
    found[..., :16] = True
    return found


def test_no_term_learns_from_void_pixels(make_model, clip_batch, void):
    model = make_model().train()
    batch = dataclasses.replace(clip_batch, void=void)
    logits = torch.randn_like(batch.gt_masks, requires_grad=True)
    terms = model.generator_losses(ClipPrediction(logits), batch)
    assert len(terms) == 6
    loss, _ = model.parse_losses(terms)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert (gradient[void] == 0).all() and (gradient[~void] != 0).any()


def test_what_void_pixels_hold_changes_nothing(make_model, clip_batch, void):
    model, logits = make_model().eval(), torch.randn_like(clip_batch.gt_masks)
    found = [model.generator_losses(ClipPrediction(torch.where(void, shift, logits)), dataclasses.replace(
        clip_batch, void=void, gt_masks=torch.where(void, mask, clip_batch.gt_masks)))
        for shift, mask in ((-5.0, 0.0), (5.0, 1.0))]
    assert {name: float(value) for name, value in found[0].items()} == {
        name: float(value) for name, value in found[1].items()}


def test_cross_entropy_and_overlap_are_those_of_the_other_pixels(make_model, clip_batch, void):
    model = make_model(losses=dict(bce=dict(type='BCELoss', loss_weight=1.0), iou=dict(type='SoftIoULoss')))
    logits = torch.randn_like(clip_batch.gt_masks)
    terms = model.generator_losses(ClipPrediction(logits), dataclasses.replace(clip_batch, void=void))
    known = dataclasses.replace(clip_batch, gt_masks=clip_batch.gt_masks[..., 16:])
    other = model.generator_losses(ClipPrediction(logits[..., 16:]), known)
    torch.testing.assert_close(terms['loss_iou'], other['loss_iou'])
    torch.testing.assert_close(terms['loss_bce'], other['loss_bce'] * 32 / 48)  # void pixels count in the mean


def test_without_void_nothing_is_copied(clip_batch):
    prediction = ClipPrediction(torch.randn_like(clip_batch.gt_masks))
    assert without_void(prediction, clip_batch) == (prediction, clip_batch)
