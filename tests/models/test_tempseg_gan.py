import copy
import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from tempseg_mm.models.tempseg_gan import with_own_references, within_reach
from tempseg_mm.structures import ClipPrediction

SILENT = dict(adversary=None, losses=dict(l1=dict(type='L1Loss')))


def state(module):
    """Parameters and gradients, by name; copies."""
    return {name: (p.detach().clone(), None if p.grad is None else p.grad.clone())
            for name, p in module.named_parameters()}


def assert_untouched(module, before):
    for name, parameter in module.named_parameters():
        value, grad = before[name]
        torch.testing.assert_close(parameter.detach(), value, rtol=0, atol=0)
        assert (parameter.grad is None) == (grad is None), name
        if grad is not None:
            torch.testing.assert_close(parameter.grad, grad, rtol=0, atol=0)


def give_gradients(module):
    for parameter in module.parameters():
        parameter.grad = torch.randn_like(parameter)


def total(losses):
    return sum(value for name, value in losses.items() if name.startswith('loss'))


@pytest.mark.parametrize('with_gradients', [False, True])
def test_discriminator_step_leaves_the_generator_alone(make_model, clip_batch, with_gradients):
    model = make_model()
    if with_gradients:
        give_gradients(model.generator)
    before = state(model.generator)
    losses = model.discriminator_losses(model(clip_batch), clip_batch)
    total(losses).backward()
    torch.optim.SGD(model.adversary.parameters(), 0.1).step()
    assert_untouched(model.generator, before)
    assert all(p.grad is not None for p in model.adversary.parameters())


@pytest.mark.parametrize('with_gradients', [False, True])
@pytest.mark.parametrize('adversary', [{}, dict(condition_on_target=True), dict(share_weights=True)])
def test_generator_step_leaves_the_adversary_alone(make_model, clip_batch, with_gradients, adversary):
    model = make_model(adversary=adversary)
    if with_gradients:
        give_gradients(model.adversary)
    before = state(model.adversary)
    losses = model.generator_losses(model(clip_batch), clip_batch)
    total(losses).backward()
    assert all(p.requires_grad for p in model.adversary.parameters())
    torch.optim.SGD(model.generator.parameters(), 0.1).step()
    assert_untouched(model.adversary, before)
    assert all(p.grad is not None for p in model.generator.parameters())


def test_the_verdict_reaches_the_generator(make_model, clip_batch):
    model = make_model(losses=dict(adv=dict(type='AdversarialLoss')))
    model.generator_losses(model(clip_batch), clip_batch)['loss_adv'].backward()
    assert any(p.grad is not None and p.grad.abs().max() > 0 for p in model.generator.parameters())


def test_the_adversary_thaws_after_an_exception(make_model, clip_batch):
    model = make_model()
    with pytest.raises((RuntimeError, ValueError)):
        model.generator_losses(ClipPrediction(torch.zeros(2, 3, 5, 32, 48)), clip_batch)  # five channels: not a mask
    assert all(p.requires_grad for p in model.adversary.parameters())


def test_discriminator_terms_are_those_of_eq_4(make_model, clip_batch):
    model = make_model()
    prediction = model(clip_batch)
    losses = model.discriminator_losses(prediction, clip_batch)
    verdict = model.adversary(prediction.masks.flatten(0, 1), clip_batch.gt_masks.flatten(0, 1), judge_real=True)
    torch.testing.assert_close(losses['loss_d_real'], -torch.sigmoid(verdict.real).log().mean())
    torch.testing.assert_close(losses['loss_d_fake'], -(1 - torch.sigmoid(verdict.fake)).log().mean())
    assert set(losses) == {'loss_d_real', 'loss_d_fake', 'd_acc_real', 'd_acc_fake'}
    torch.testing.assert_close(losses['d_acc_real'], (verdict.real > 0).float().mean())
    torch.testing.assert_close(losses['d_acc_fake'], (verdict.fake <= 0).float().mean())


def test_the_real_branch_does_not_run_in_the_generator_step(make_model, clip_batch):
    model, calls = make_model(), []
    model.adversary.real_encoder.register_forward_hook(lambda *_: calls.append(1))
    model.generator_losses(model(clip_batch), clip_batch)
    assert calls == []


def test_generator_terms_are_named_after_the_losses(make_model, clip_batch):
    losses = make_model().generator_losses(make_model()(clip_batch), clip_batch)
    assert list(losses) == ['loss_bce', 'loss_adv', 'loss_l1', 'loss_itsd', 'loss_iftl', 'loss_l_iftl']
    assert all(value.ndim == 0 and torch.isfinite(value) for value in losses.values())


def test_each_term_is_what_its_loss_says(make_model, clip_batch):
    model = make_model()
    prediction = model(clip_batch)
    fake = model.adversary(prediction.masks.flatten(0, 1), clip_batch.gt_masks.flatten(0, 1), judge_real=False).fake
    judged = ClipPrediction(prediction.logits, fake.view(2, 3))
    for name, value in model.generator_losses(prediction, clip_batch).items():
        torch.testing.assert_close(value, model.losses[name.removeprefix('loss_')](judged, clip_batch))


def test_verdicts_carry_no_gradient_but_the_logits_do(make_model, clip_batch):
    model = make_model()
    judged = model._judged(model(clip_batch), clip_batch)
    assert judged.fake_logits.shape == judged.verdicts.shape == (2, 3)
    assert judged.fake_logits.requires_grad and not judged.verdicts.requires_grad


def test_frames_and_clips_keep_their_places(make_model, clip_batch):
    model = make_model().eval()
    logits = model(clip_batch).logits
    assert logits.shape == (2, 3, 1, 32, 48)
    alone = model.generator(clip_batch.frames[1, 2][None], clip_batch.reference_masks[1, 2][None])
    torch.testing.assert_close(logits[1, 2][None], alone)


@pytest.mark.parametrize('name, kind', [('adv', 'AdversarialLoss'), ('pair', 'IFTLoss')])
def test_a_loss_that_needs_the_adversary_is_left_out_without_one(make_model, name, kind, monkeypatch):
    said = []
    monkeypatch.setattr('tempseg_mm.models.tempseg_gan.print_log', lambda text, *_: said.append(text))
    losses = {name: dict(type=kind), 'l1': dict(type='L1Loss'), 'bce': None}
    model = make_model(adversary=None, losses=losses)
    assert list(model.losses) == ['l1'] and model.loss_names == (name, 'l1', 'bce')
    assert len(said) == 1 and f'left out: {name}. ' in said[0] and f'losses=dict({name}=None)' in said[0]
    make_model(adversary=None, losses={**losses, name: None})
    assert len(said) == 1


def test_trains_without_an_adversary(make_model, clip_batch):
    model = make_model(adversary=None, losses=dict(bce=dict(type='BCELoss', loss_weight=1.0)))
    optimizer = torch.optim.Adam(model.generator.parameters(), 0.01)
    history = []
    for _ in range(8):
        loss = total(model.generator_losses(model(clip_batch), clip_batch))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    assert history[-1] < 0.8 * history[0]
    assert model.adversary is None


def test_predicts_probabilities_of_raw_frames(make_model):
    model = make_model(**SILENT).eval()
    frames = torch.randint(0, 256, (2, 3, 97, 131), dtype=torch.uint8)
    references = torch.rand(2, 1, 97, 131)
    probability = model.predict(frames, references)
    assert probability.shape == (2, 1, 97, 131) and not probability.requires_grad
    assert probability.min() >= 0 and probability.max() <= 1
    by_hand = (frames.float() - torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)) / torch.tensor(
        [58.395, 57.12, 57.375]).view(3, 1, 1)
    torch.testing.assert_close(probability, torch.sigmoid(model.generator(by_hand, references)))


def test_width_reaches_generator_and_adversary_unless_they_say_otherwise(model_cfg, make_model):
    model = make_model(width=0.125)
    assert model.generator.backbone.bottom_channels == 64 and model.adversary.fake_encoder.out_channels == 32
    cfg = copy.deepcopy(model_cfg)
    assert make_model(generator={**cfg['generator'], 'width': 0.25}).generator.backbone.bottom_channels == 128


def test_optimisers_find_two_trained_parts(make_model):
    trained = {name for name, child in make_model().named_children() if any(True for _ in child.parameters())}
    assert trained == {'generator', 'adversary'}


def test_a_loss_that_is_none_is_left_out(make_model, model_cfg):
    losses = {**model_cfg['losses'], 'itsd': None, 'iftl': None}
    assert set(make_model(losses=losses).losses) == set(model_cfg['losses']) - {'itsd', 'iftl'}


def test_predictions_go_through_the_augmentation(make_model):
    model = make_model().eval()
    frames, references = torch.rand(1, 3, 32, 48) * 255, torch.zeros(1, 1, 32, 48)
    plain = model.predict(frames, references)
    flipped = dict(averaging=lambda predict, f, r: predict(f.flip(-1), r.flip(-1)).flip(-1))
    mirrored = model.predict(frames, references, **flipped)
    assert mirrored.shape == plain.shape and not torch.allclose(mirrored, plain)
    assert torch.allclose(model.predict(frames.flip(-1), references, **flipped).flip(-1), plain, atol=1e-6)


def test_within_reach_of_the_reference_alone(make_model):
    model = make_model().eval()
    frames, reference = torch.randint(0, 256, (2, 3, 32, 32)).float(), torch.zeros(2, 1, 32, 32)
    reference[0, 0, 4:8, 4:8] = 1  # the second one is empty: its object may be anywhere
    anywhere = model.predict(frames, reference)
    model.reach = 0.5
    near = model.predict(frames, reference)
    inside = torch.zeros(32, 32, dtype=torch.bool)
    inside[2:10, 2:10] = True
    assert torch.equal(near[0, 0], anywhere[0, 0] * inside) and torch.equal(near[1], anywhere[1])
    inside[:12, :12] = True  # of an object with four times the area, whose size is 8
    assert torch.equal(model.predict(frames, reference, shown=0.25)[0, 0], anywhere[0, 0] * inside)


def test_a_negative_reach_is_refused(make_model):
    with pytest.raises(ValueError, match='reach must be a distance in object sizes'):
        make_model(reach=-1)


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


@pytest.mark.parametrize('reach', [0, 0.1, 0.5, 2])
def test_against_the_definition(reach):
    masks = torch.zeros(3, 1, 20, 31)
    masks[0, 0, 4:9, 10:14] = 1
    masks[1, 0, 19, 30] = 0.6
    masks[1, 0, 2, 3] = 0.9
    masks[2, 0, 0, :] = 0.51
    near = within_reach(masks, reach)
    for mask, result in zip(masks[:, 0].numpy() > 0.5, near[:, 0].numpy()):
        radius = round(reach * mask.sum() ** 0.5)
        rows, columns = np.nonzero(mask)
        grid = np.stack(np.mgrid[:20, :31])[..., None]
        distance = np.abs(grid - np.stack([rows, columns])[:, None, None]).max(0).min(-1)
        assert (result == (distance <= radius)).all()


def test_an_empty_mask_reaches_everywhere():
    assert within_reach(torch.full((1, 1, 4, 5), 0.5), 0.1).all()
