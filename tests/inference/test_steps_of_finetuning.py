"""The optimiser steps of the online fine-tuner: what one of them is."""

import copy

import numpy as np
import pytest
import torch

from tempseg_mm.inference import online_finetuner
from tempseg_mm.inference.finetuning_steps import drawn_ahead
from tempseg_mm.inference.given_object import GivenObject
from tempseg_mm.inference.online_finetuner import OnlineFinetuner
from tempseg_mm.registry import TRANSFORMS
from tempseg_mm.runtime.random_state import own_randomness


def test_the_steps_are_those_of_a_plain_loop(make_model, make_sequence, give):
    model, sequence = make_model().eval(), make_sequence()
    plain = copy.deepcopy(model)
    optimizer, losses = torch.optim.Adam(plain.generator.parameters(), lr=0.01, fused=True), []
    with own_randomness(5, sequence.name):
        for _ in range(3):
            clip = TRANSFORMS.build(dict(type='PackClip'))(dict(
                frames=sequence.frames[:2], gt_masks=sequence.masks[:2], flow=[np.zeros((32, 48, 2), np.float32)],
                sequence_name=sequence.name, frame_ids=[0, 1]))
            batch = plain.data_preprocessor({name: [value] for name, value in clip.items()}, training=True)
            loss = sum(plain.generator_losses(plain(batch), batch).values())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    finetuner = OnlineFinetuner(steps=3, optimizer=dict(type='Adam', lr=0.01))
    adapted = finetuner.adapt(model, GivenObject(give(sequence), 1), seed=5)
    assert adapted.losses == losses
    expected = plain.generator.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in adapted.generator.state_dict().items())


@pytest.fixture
def given(make_sequence, give):
    return GivenObject(give(make_sequence()), 1)


@pytest.fixture
def threads():
    """Sets the number of threads of torch."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def adapted(make_model, given, **settings):
    torch.manual_seed(0)
    model = make_model()
    optimizer = dict(type='SGD', lr=0.1)  # in which a rounding error stays one
    settings = dict(leave_out=['adv', 'iftl', 'l_iftl'], augment=[dict(type='ClipRandomAffine')], **settings)
    found = OnlineFinetuner(steps=3, optimizer=optimizer, clips_per_step=2, **settings).adapt(model, given)
    return found.losses, list(found.generator.state_dict().values())


def test_threads_change_nothing_but_the_rounding(make_model, given, threads):
    threads(1)
    losses, weights = adapted(make_model, given)
    threads(2)
    losses_apart, weights_apart = adapted(make_model, given)
    np.testing.assert_allclose(losses_apart, losses, rtol=1e-4)
    for apart, together in zip(weights_apart, weights, strict=True):
        torch.testing.assert_close(apart, together, rtol=1e-3, atol=1e-5)
    again = adapted(make_model, given)
    assert again[0] == losses_apart and all(map(torch.equal, again[1], weights_apart))
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize('settings, number, sizes', [
    (dict(), 1, [2]),
    (dict(), 2, [1, 1]),
    (dict(), 3, [1, 1]),
    (dict(mode='train'), 2, [2]),
    (dict(leave_out=[]), 2, [2]),
])
def test_which_clips_share_a_batch(make_model, given, threads, settings, number, sizes):
    model, seen = make_model(), []
    model.generator.register_forward_pre_hook(lambda module, args: seen.append(len(args[0]) // 2))
    threads(number)
    settings = {'leave_out': ['adv', 'iftl', 'l_iftl'], **settings}
    OnlineFinetuner(steps=1, clips_per_step=2, **settings).adapt(model, given)
    assert seen == sizes


def test_an_error_of_a_thread_is_raised(make_model, given, threads, monkeypatch):
    model = make_model()
    threads(2)
    monkeypatch.setattr(model, 'generator_losses', lambda prediction, batch, leave_out: dict(
        loss_bad=prediction.logits.mean() * float('nan')))
    before = [value.clone() for value in model.generator.state_dict().values()]
    with pytest.raises(FloatingPointError, match='loss_bad.* not finite in online fine-tuning of .*, step 0'):
        OnlineFinetuner(steps=2, clips_per_step=2, leave_out=['adv', 'iftl', 'l_iftl']).adapt(model, given)
    assert all(map(torch.equal, model.generator.state_dict().values(), before)) and torch.get_num_threads() == 2


def test_folded_normalisation_is_adapted_as_part_of_the_convolutions(make_model, given):
    model = make_model(adversary=None, losses=dict(bce=dict(type='BCELoss', loss_weight=1.0)))
    finetuner = OnlineFinetuner(steps=25, optimizer=dict(type='Adam', lr=0.003), mode='folded')
    adapted = finetuner.adapt(model, given)
    assert np.mean(adapted.losses[-3:]) < 0.8 * np.mean(adapted.losses[:3])
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in adapted.generator.modules())
    assert any(isinstance(layer, torch.nn.BatchNorm2d) for layer in model.generator.modules())
    again = finetuner.copy_of(model.generator)
    again.load_state_dict(adapted.generator.state_dict())  # as an interrupted run takes it up


def ahead(monkeypatch):
    """Draw ahead on a CPU too, as for a GPU."""
    monkeypatch.setattr(online_finetuner, 'drawn_ahead', lambda drawn, device: drawn_ahead(drawn, torch.device('mps')))


def test_drawing_ahead_changes_no_bit(make_model, given, threads, monkeypatch):
    threads(2)
    streams, found = [], []
    for change in (lambda monkeypatch: None, ahead):
        change(monkeypatch)
        np.random.seed(3)
        found.append(adapted(make_model, given, pipeline=[dict(type='DeformReferenceMask'), dict(type='PackClip')]))
        streams.append((np.random.rand(), torch.rand(1).item()))
    assert found[0][0] == found[1][0] and all(map(torch.equal, found[0][1], found[1][1]))
    assert streams[0] == streams[1]  # they go on as if nothing had been drawn


def test_a_transform_that_fails_ahead(make_model, given, monkeypatch):
    calls = []

    class Failing:
        def __call__(self, results):
            calls.append(1)
            if len(calls) == 3:
                raise ZeroDivisionError
            return results
    monkeypatch.setitem(TRANSFORMS.module_dict, 'Failing', Failing)
    ahead(monkeypatch)
    steps = []
    with pytest.raises(ZeroDivisionError):
        OnlineFinetuner(steps=5, augment=[dict(type='Failing')]).adapt(make_model(), given, on_step=steps.append)
    assert steps == [1, 2]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='counts the waits for CUDA')
@pytest.mark.parametrize('graph', [False, True])
@pytest.mark.parametrize('settings', [dict(), dict(leave_out=['adv', 'iftl', 'l_iftl', 'itsd'], average=0.5)])
def test_no_step_waits_for_the_gpu(make_model, given, settings, graph):
    model = make_model(compute=dict(graph=graph)).eval().to('cuda')
    finetuner = OnlineFinetuner(steps=12, clips_per_step=2, augment=[dict(type='ClipRandomAffine')], **settings)

    def watch(step):
        torch.cuda.set_sync_debug_mode('error' if 5 < step < finetuner.steps else 'default')
    try:
        losses = finetuner.adapt(model, given, on_step=watch).losses
    finally:
        torch.cuda.set_sync_debug_mode('default')
    on_cpu = finetuner.adapt(model.cpu(), given).losses
    np.testing.assert_allclose(losses[:3], on_cpu[:3], rtol=1e-2)


def test_an_unknown_mode():
    with pytest.raises(ValueError, match="mode must be one of eval, folded, train, got 'fold'"):
        OnlineFinetuner(mode='fold')
