import re
from pathlib import Path

import pytest
import torch
from torch import nn

from tempseg_mm.engine.finite_steps import NotFiniteError
from tempseg_mm.engine.nonfinite_dump import load_dump
from tempseg_mm.registry import MODELS


class Trap(nn.Module):
    """A loss that is infinite at its second call, and from then on for the same mean prediction, bit for bit."""
    needs_adversary, needs_flow, per_frame, calls, danger = False, False, False, 0, None

    def forward(self, prediction, batch):
        Trap.calls += 1
        mean = prediction.masks.mean()
        if Trap.calls == 2:
            Trap.danger = mean.item()
        return mean / (0 if Trap.danger == mean.item() else 1)


@pytest.fixture
def trap(monkeypatch):
    monkeypatch.setitem(MODELS.module_dict, 'Trap', Trap)
    monkeypatch.setattr(Trap, 'calls', 0)
    monkeypatch.setattr(Trap, 'danger', None)


def without_time(message):
    return re.sub(r' Dumped to.*', '', message)


def test_the_half_step_of_g_goes_wrong_again(trap, make_runner):
    options = {'model.losses.trap': dict(type='Trap')}
    runner = make_runner(**options)
    with pytest.raises(NotFiniteError) as error:
        runner.train()
    path = Path(runner.work_dir) / 'nonfinite_iter_2/rank_0.pth'
    assert f'Dumped to {path}; docs/reliability.md' in str(error.value)
    torch.manual_seed(9)
    again = make_runner(**options)
    batch = load_dump(again, str(path))
    assert all('first_reference' in sample for sample in batch['data_samples'])
    before = {name: weight.clone() for name, weight in again.model.named_parameters()}
    with pytest.raises(NotFiniteError) as repeated:
        again.train_loop.alternate(batch)
    terms = re.findall(r'(loss_(?!d)\w+)=(\S+),', str(error.value))
    assert len(terms) > 5 and re.findall(r'(loss_(?!d)\w+)=(\S+),', str(repeated.value)) == terms
    assert re.search(r'iteration 2 \(frames train_00\d \d \d \d, train_00\d \d \d \d\)', str(repeated.value))
    assert all(torch.equal(weight, before[name]) for name, weight in again.model.named_parameters())


def test_a_dump_of_an_earlier_version_is_refused(tmp_path, make_runner):
    torch.save(dict(iter=1), tmp_path / 'rank_0.pth')
    with pytest.raises(ValueError, match='rank_0.pth was written by a version that stored reference masks differently'):
        load_dump(make_runner(), str(tmp_path / 'rank_0.pth'))


def test_the_half_step_of_d_goes_wrong_again(make_runner, monkeypatch):
    runner = make_runner()
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
    again = make_runner()
    batch = load_dump(again, str(Path(runner.work_dir) / 'nonfinite_iter_2/rank_0.pth'))
    assert all(torch.equal(one, other) for one, other in zip(
        again.model.parameters(), runner.model.parameters()))  # of before the step: it was not taken
    with pytest.raises(NotFiniteError) as repeated:
        again.train_loop.alternate(batch)
    assert without_time(str(repeated.value)) == without_time(str(error.value))


def test_other_errors_leave_no_dump(make_runner, monkeypatch):
    runner = make_runner()
    monkeypatch.setattr(runner.model, 'generator_losses', lambda *_: (_ for _ in ()).throw(KeyError('other')))
    with pytest.raises(KeyError):
        runner.train()
    assert not list(Path(runner.work_dir).glob('nonfinite*'))
