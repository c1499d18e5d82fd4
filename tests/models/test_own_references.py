import dataclasses

import torch
from torch import nn

from tempseg_mm.models.own_references import with_own_references


class Threshold(nn.Module):
    """Takes the first channel of the frame for the logits, whatever the reference; counts what it saw."""

    def __init__(self):
        super().__init__()
        self.seen, self.modes = 0, []

    def forward(self, frames, references):
        self.seen += len(frames)
        self.modes.append(self.training)
        return 40 * (frames[:, :1] - 0.5)


def squares(clip_batch):
    """The batch with frames that show nothing but their own mask."""
    return dataclasses.replace(clip_batch, frames=clip_batch.gt_masks.expand(-1, -1, 3, -1, -1).clone(),
                               reference_masks=torch.full_like(clip_batch.gt_masks, 0.25))


def test_references_are_the_masks_of_the_frames_before_moved_along(clip_batch):
    batch = squares(clip_batch)
    own = with_own_references(Threshold(), batch, 1.0)
    assert torch.equal(own.reference_masks[:, 0], batch.reference_masks[:, 0])
    assert torch.allclose(own.reference_masks[:, 1:], batch.gt_masks[:, 1:], atol=1e-6)  # the flow is the motion
    assert torch.equal(own.gt_masks, batch.gt_masks) and own.sequences == batch.sequences


def test_probability_zero_costs_no_pass(clip_batch):
    generator = Threshold()
    assert with_own_references(generator, clip_batch, 0.0) is clip_batch
    assert generator.seen == 0


def test_only_the_clips_that_were_drawn_are_concerned(clip_batch, monkeypatch):
    batch, generator = squares(clip_batch), Threshold()
    monkeypatch.setattr(torch, 'rand', lambda n: torch.tensor([0.9, 0.1]))
    own = with_own_references(generator, batch, 0.5)
    assert generator.seen == 3
    assert torch.equal(own.reference_masks[0], batch.reference_masks[0])
    assert not torch.equal(own.reference_masks[1], batch.reference_masks[1])


def test_without_dropout_and_back_in_training(clip_batch):
    generator = Threshold().train()
    with_own_references(generator, clip_batch, 1.0)
    assert generator.modes == [False] and generator.training


def test_the_model_uses_them_in_training_only(make_model, clip_batch):
    model = make_model()
    model.own_reference_prob = 1.0
    model.generator.backbone.dropout.p = model.generator.decoder.dropout.p = 0.0
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.0
    with torch.no_grad():
        own = model.train()(clip_batch).logits
        model.own_reference_prob = 0.0
        given = model(clip_batch).logits
        assert not torch.allclose(own, given)
        in_eval = model.eval()(clip_batch).logits
        model.own_reference_prob = 1.0
        assert torch.equal(model(clip_batch).logits, in_eval)
