import dataclasses

import pytest
import torch

from tempseg_mm.models.tempseg_gan import without_void
from tempseg_mm.structures import ClipPrediction


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
