from contextlib import contextmanager, nullcontext

import numpy as np
import pytest
import torch
from torch import nn

from tempseg_mm.inference import recorded_step
from tempseg_mm.inference.given_object import GivenObject
from tempseg_mm.inference.online_finetuner import OnlineFinetuner
from tempseg_mm.inference.recorded_step import WARM_UP, RecordedStep
from tempseg_mm.registry import MODELS
from tempseg_mm.structures import ClipBatch

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason='needs CUDA graphs')


@pytest.fixture
def on_cpu(monkeypatch):
    """Stands for a GPU: what is recorded runs again on the recorded clips. Returns what to change."""
    told = dict(waits=[], fault=None, logged=[], recorded=0)

    @contextmanager
    def noticed():
        yield list(told['waits'])

    def record(function, device):
        if told['fault']:
            raise told['fault']
        told['recorded'] += 1
        return function
    monkeypatch.setattr(recorded_step, 'stream_of', lambda device: None)
    monkeypatch.setattr(recorded_step, 'beside_other_work', lambda stream: nullcontext())
    monkeypatch.setattr(recorded_step, 'noticed_waits', noticed)
    monkeypatch.setattr(recorded_step, 'record', record)
    monkeypatch.setattr(recorded_step, 'print_log', lambda message, *_: told['logged'].append(message))
    return told


def clips(value, width=3, flow=True):
    frames, masks = torch.full((1, 2, 3, 2, width), float(value)), torch.full((1, 2, 1, 2, width), float(value))
    return ClipBatch(frames, masks, masks + 1, torch.zeros(1, 1, 2, 2, width) if flow else None, ('a',), ((0, 1),))


class Sum:
    """A step that adds the frames to its weight and lists the batches that it saw."""

    def __init__(self):
        self.weight, self.seen, self.term = torch.zeros(()), [], torch.zeros(())

    def __call__(self, batch):
        self.seen.append(batch)
        self.weight += batch.frames.mean() + batch.reference_masks.mean()
        self.term.copy_(self.weight)  # the same memory each time, as in a graph
        return dict(loss=self.term)


def test_all_steps_count_and_terms_are_not_overwritten(on_cpu):
    update = Sum()
    step = RecordedStep(update)
    batches = [clips(value) for value in range(WARM_UP + 4)]
    found = [step(batch)['loss'] for batch in batches]
    assert update.weight == sum(2 * value + 1 for value in range(WARM_UP + 4)) and on_cpu['recorded'] == 1
    assert found[WARM_UP:] == [sum(2 * value + 1 for value in range(last + 1)) for last in range(WARM_UP, WARM_UP + 4)]
    assert update.seen[:WARM_UP] == batches[:WARM_UP] and len({id(batch) for batch in update.seen[WARM_UP:]}) == 1
    assert [batch.frames.mean() for batch in batches] == list(range(WARM_UP + 4))  # nothing was written into them


@pytest.mark.parametrize('other', [dict(width=4), dict(flow=False)])
def test_clips_of_another_size_take_an_ordinary_step(on_cpu, other):
    update = Sum()
    step = RecordedStep(update)
    for value in range(WARM_UP + 1):
        step(clips(value))
    another = clips(9, **other)
    step(another)
    assert update.seen[-1] is another
    step(clips(5))
    assert update.seen[-1] is update.seen[WARM_UP] and update.seen[-1].frames.mean() == 5 and on_cpu['recorded'] == 1


@pytest.mark.parametrize('change', [
    dict(waits=['loss.py:3 waits for the GPU']), dict(fault=RuntimeError('not allowed'))])
def test_a_step_that_cannot_be_recorded(on_cpu, change):
    on_cpu.update(change)
    update = Sum()
    step = RecordedStep(update)
    batches = [clips(value) for value in range(WARM_UP + 3)]
    for batch in batches:
        step(batch)
    assert update.seen == batches and on_cpu['recorded'] == 0
    reason = 'loss.py:3 waits for the GPU' if 'waits' in change else 'not allowed'
    assert len(on_cpu['logged']) == 1 and f'longer: {reason}. To avoid' in on_cpu['logged'][0]


class Waiting(nn.Module):
    """A loss that cannot be recorded: it waits for the GPU, or it copies from ordinary memory."""
    needs_adversary = needs_flow = per_frame = False

    def __init__(self, how):
        super().__init__()
        self.how = how

    def forward(self, prediction, batch):
        mean = prediction.logits.mean()
        if self.how == 'item':
            return mean * (1.0 if mean.item() < 1e9 else 2.0)
        return mean * torch.ones(1).to(mean.device, non_blocking=True)[0]


@pytest.fixture
def adapt(make_model, make_sequence, give, monkeypatch):
    """Fine-tunes on a GPU and returns the losses, the weights, and how often a step was recorded."""
    monkeypatch.setitem(MODELS.module_dict, 'Waiting', Waiting)
    recorded, plain = [], recorded_step.record
    monkeypatch.setattr(recorded_step, 'record', lambda *work: recorded.append(1) or plain(*work))

    def adapt(*, steps=12, graph=True, objects=1, optimizer='Adam', average=0.0, **model):
        torch.manual_seed(0)
        made = make_model(compute=dict(graph=graph), **model).eval().to('cuda')
        finetuner = OnlineFinetuner(steps=steps, clips_per_step=2, optimizer=dict(type=optimizer, lr=1e-3),
                                    augment=[dict(type='ClipRandomAffine')], average=average)
        recorded.clear()
        for object_id in range(1, objects + 1):
            found = finetuner.adapt(made, GivenObject(give(make_sequence(), object_id=object_id), object_id))
        return found.losses, [value.cpu() for value in found.generator.state_dict().values()], len(recorded)
    return adapt


def assert_alike(found, expected):
    np.testing.assert_allclose(found[0], expected[0], rtol=5e-3)
    for value, wanted in zip(found[1], expected[1], strict=True):
        torch.testing.assert_close(value, wanted, rtol=0.02, atol=2e-3)


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize('settings', [dict(), dict(optimizer='SGD'), dict(average=0.5), dict(optimizer='AdamW')])
def test_a_recorded_step_learns_what_an_ordinary_one_does(adapt, settings):
    found = adapt(**settings)
    assert found[2] == 1
    assert_alike(found, adapt(**settings, graph=False))


@pytest.mark.gpu
@needs_cuda
def test_few_steps_and_other_optimisers_are_not_recorded(adapt):
    assert_alike(found := adapt(steps=WARM_UP), adapt(steps=WARM_UP, graph=False))
    assert found[2] == adapt(optimizer='Adagrad')[2] == 0


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize('how, attempts', [('item', 0), ('copy', 1)])
def test_a_loss_that_cannot_be_recorded_on_a_gpu(adapt, how, attempts):
    losses = dict(bce=dict(type='BCELoss'), waiting=dict(type='Waiting', how=how))
    found = adapt(adversary=None, losses=losses)
    assert found[2] == attempts
    assert_alike(found, adapt(adversary=None, losses=losses, graph=False))
    assert torch.rand(1, device='cuda').item() >= 0 and torch.cuda.get_rng_state().numel()  # no recording is left open


@pytest.mark.gpu
@needs_cuda
def test_the_next_object_is_recorded_anew_in_the_same_memory(adapt):
    one = adapt()
    before = torch.cuda.memory_allocated()
    two = adapt(objects=2)
    assert two[2] == 2 and torch.cuda.memory_allocated() <= before
    assert_alike(two, one)  # the draws do not depend on the id
