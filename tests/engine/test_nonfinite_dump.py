import re
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from torch import nn

from tempseg_mm.engine import finite_steps
from tempseg_mm.engine.finite_steps import NotFiniteError
from tempseg_mm.engine.nonfinite_dump import load_dump
from tempseg_mm.registry import MODELS

FUSED = {f'optim_wrapper.{part}.optimizer.fused': True for part in ('generator', 'adversary')}  # read at the end


class Trap(nn.Module):
    """A loss that is infinite at its second call, and from then on for the same mean prediction, bit for bit."""
    needs_adversary, needs_flow, per_frame, calls, danger = False, False, False, 0, None

    def forward(self, prediction, batch):
        Trap.calls += 1
        mean = prediction.masks.mean()
        if Trap.calls == 2:
            Trap.danger = mean.item()
        return mean / (0 if Trap.danger == mean.item() else 1)


class Keep(Hook):
    """Keeps the states of a Runner after its last whole iteration."""
    priority = 'LOWEST'

    def __init__(self, kept):
        self.kept = kept

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.kept[:] = states(runner)


@pytest.fixture
def trap(monkeypatch):
    monkeypatch.setitem(MODELS.module_dict, 'Trap', Trap)
    monkeypatch.setattr(Trap, 'calls', 0)
    monkeypatch.setattr(Trap, 'danger', None)


def without_time(message):
    return re.sub(r' Dumped to.*', '', message)


def states(runner):
    """Weights, moments and counts of steps of a Runner."""
    inner = [one.detach() for one in runner.model.parameters()]
    for optim in runner.optim_wrapper.values():
        inner += [value for state in optim.state_dict()['state'].values() for value in state.values()]
    return [torch.as_tensor(value).clone() for value in inner]


def equal(some, others):
    return all(torch.equal(one, other) for one, other in zip(some, others, strict=True))


@pytest.mark.parametrize('options', [{}, FUSED])
def test_the_half_step_of_g_goes_wrong_again(trap, make_runner, options):
    options = {'model.losses.trap': dict(type='Trap'), 'randomness.deterministic': True, **options}
    runner = make_runner(**options)
    with pytest.raises(NotFiniteError) as error:
        runner.train()
    path = Path(runner.work_dir) / 'nonfinite_iter_2/rank_0.pth'
    assert f'Dumped to {path}; docs/reliability.md' in str(error.value)
    torch.manual_seed(9)
    again = make_runner(**options)
    batch = load_dump(again, str(path))
    assert all('first_reference' in sample for sample in batch['data_samples'])
    before = states(again)
    assert equal(before, states(runner))
    with pytest.raises(NotFiniteError) as repeated:
        again.train_loop.alternate(batch)
    terms = re.findall(r'(loss_(?!d)\w+)=(\S+),', str(error.value))
    assert len(terms) > 5 and re.findall(r'(loss_(?!d)\w+)=(\S+),', str(repeated.value)) == terms
    assert re.search(r'iteration 2 \(frames train_00\d \d \d \d, train_00\d \d \d \d\)', str(repeated.value))
    assert equal(before, states(again))


def test_a_dump_of_an_earlier_version_is_refused(tmp_path, make_runner):
    torch.save(dict(iter=1), tmp_path / 'rank_0.pth')
    with pytest.raises(ValueError, match='rank_0.pth was written by a version that stored reference masks differently'):
        load_dump(make_runner(), str(tmp_path / 'rank_0.pth'))


@pytest.mark.parametrize('options', [{}, FUSED])
def test_the_half_step_of_d_goes_wrong_again(make_runner, monkeypatch, options):
    runner = make_runner(**options)
    before: list = []
    runner.register_hook(Keep(before))
    losses = type(runner.model).discriminator_losses
    seen = []

    def broken(self, *args):
        seen.append(0)
        terms = losses(self, *args)
        return {**terms, 'loss_d_real': terms['loss_d_real'] / (0 if len(seen) > 1 else 1)}
    monkeypatch.setattr(type(runner.model), 'discriminator_losses', broken)
    fault = '^loss_d_real, loss_d, gradient of adversary not finite in iteration 2'
    with pytest.raises(NotFiniteError, match=fault) as error:
        runner.train()
    assert error.value.part == 'adversary'
    again = make_runner(**options)
    batch = load_dump(again, str(Path(runner.work_dir) / 'nonfinite_iter_2/rank_0.pth'))
    assert equal(states(again), before) and equal(states(runner), before)  # neither D nor G has taken a step
    with pytest.raises(NotFiniteError) as repeated:
        again.train_loop.alternate(batch)
    assert without_time(str(repeated.value)) == without_time(str(error.value))


def test_reading_at_the_end_dumps_what_reading_before_the_update_dumps(trap, make_runner, monkeypatch, on_cpu):
    def failed():
        torch.manual_seed(0)
        Trap.calls, Trap.danger = -1, None  # the first of two half-steps of G in iteration 2 fails
        runner = make_runner(**{'model.losses.trap': dict(type='Trap'), 'train_cfg.generator_steps': 2, **FUSED})
        with pytest.raises(NotFiniteError) as error:
            runner.train()
        dump, = Path(runner.work_dir).glob('nonfinite*/rank_0.pth')
        return without_time(str(error.value)), states(runner), torch.load(dump, weights_only=True)
    fault, found, dump = failed()
    monkeypatch.setattr(finite_steps, 'can_withhold', lambda optim: False)
    wanted_fault, wanted, wanted_dump = failed()
    assert fault == wanted_fault and equal(found, wanted) and dump['part'] == wanted_dump['part'] == 'generator'
    assert torch.equal(dump['random']['torch'], wanted_dump['random']['torch'])


def test_reading_some_iterations_later_dumps_the_one_that_failed(trap, make_runner, on_cpu):
    options = {'model.losses.trap': dict(type='Trap'), 'randomness.deterministic': True, **FUSED}

    def failed(interval):
        torch.manual_seed(0)
        Trap.calls, Trap.danger = 0, None
        runner = make_runner(**options, **{'train_cfg.max_iters': 7, 'default_hooks.logger.interval': interval})
        with pytest.raises(NotFiniteError) as error:
            runner.train()
        dump, = Path(runner.work_dir).glob('nonfinite*/rank_0.pth')
        return without_time(str(error.value)), states(runner), dump, runner.iter
    fault, found, dump, read_at = failed(5)
    wanted_fault, wanted, wanted_dump, _ = failed(1)
    assert read_at == 4 and dump.parent.name == wanted_dump.parent.name == 'nonfinite_iter_2'
    assert fault == wanted_fault and equal(found, wanted)
    again = make_runner(**options)
    with pytest.raises(NotFiniteError) as repeated:
        again.train_loop.alternate(load_dump(again, str(dump)))
    assert 'loss_trap=inf' in str(repeated.value) and equal(states(again), wanted)


def test_other_errors_leave_no_dump(make_runner, monkeypatch):
    runner = make_runner()
    monkeypatch.setattr(runner.model, 'generator_losses', lambda *_: (_ for _ in ()).throw(KeyError('other')))
    with pytest.raises(KeyError):
        runner.train()
    assert not list(Path(runner.work_dir).glob('nonfinite*'))
