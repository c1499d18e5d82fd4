from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner

from tempseg_mm.engine import training_clock
from tempseg_mm.runtime.differences import ResumeError


class Watch(Hook):
    """Keeps what is in force in each iteration; asks training to stop after so many of them, as a signal does."""

    def __init__(self, stop=None):
        self.stop, self.rates, self.own, self.frames = stop, [], [], []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.rates.append(runner.optim_wrapper.get_lr()['generator.lr'][0])
        self.own.append(runner.train_loop.model.own_reference_prob)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.frames.append(runner.train_loop.last_batch.origin)
        runner.train_loop.stop_training = batch_idx + 1 == self.stop


@pytest.fixture
def train(tiny_config, tmp_path, monkeypatch):
    """Trains for a minute by a clock that shows these seconds, at the start and after each iteration."""
    def run(seconds, *, folder='work', stop=None, validated=None, **options):
        shown = iter(seconds)
        monkeypatch.setattr(training_clock, 'time', SimpleNamespace(monotonic=lambda: next(shown)))
        runner = Runner.from_cfg(tiny_config(**{
            'train_cfg.max_minutes': 1, 'train_cfg.max_iters': 6, 'param_scheduler.generator.0.end': 6,
            'work_dir': str(tmp_path / folder), **options}))
        if validated is not None:
            class Validation(BaseLoop):
                def run(self):
                    validated.append(runner.iter)
            runner._val_loop = Validation(runner, runner.train_loop.dataloader.loader)
        watch = Watch(stop)
        runner.register_hook(watch, 'LOW')
        runner.train()
        assert next(shown, None) is None
        return runner, watch
    return run


@pytest.fixture
def said(monkeypatch):
    seen = []
    for level in ('info', 'warning'):
        monkeypatch.setattr(f'logging.Logger.{level}', lambda self, text, *args, **extra: seen.append(str(text)))
    return seen


def left_in(runner):
    return sorted(path.name for path in Path(runner.work_dir).glob('iter_*.pth'))


def test_the_time_ends_training_and_schedules_whatever_came_between(train, said):
    own = dict(type='OwnReferenceHook', prob=0.6, begin=0)
    runner, watch = train([1000, 1010, 1020, 1050, 1055, 1060], **{
        'default_hooks.own_references': own, 'default_hooks.progress.interval': 0})
    assert [rate / 0.002 for rate in watch.rates] == pytest.approx([1 - 0.8 * step / 5 for step in (0, 1, 2, 5, 5)])
    assert runner.optim_wrapper.get_lr()['generator.lr'] == pytest.approx([0.0004])
    assert watch.own == pytest.approx([0, 0.1, 0.2, 0.5, 0.5])
    assert (runner.iter, runner.max_iters, left_in(runner)) == (5, 5, ['iter_5.pth'])
    told = [line for line in said if line.startswith('iteration')]
    assert told[0].startswith('iteration 1, minute 0.2 of 1 (17%): loss_g')
    assert told[-1].startswith('iteration 5, minute 1.0 of 1 (100%)') and told[-1].endswith('eta 0:00:00)')


def test_more_iterations_than_schedules_count_end_no_sooner(train):
    validated = []
    runner, watch = train([0, 12, 24, 36, 48, 61], validated=validated, **{
        'train_cfg.max_iters': 2, 'train_cfg.val_interval': 3, 'param_scheduler.generator.0.end': 2})
    assert [rate / 0.002 for rate in watch.rates] == pytest.approx([1, 1, 1, 0.2, 0.2])
    assert (runner.iter, left_in(runner), validated) == (5, ['iter_5.pth'], [3, 5])


def test_a_resumed_training_goes_on_with_its_minutes_and_bit_for_bit_if_the_clock_shows_the_same(train, said, on_cpu):
    whole, seen = train([0, 15, 30, 45, 60], folder='whole')
    train([100, 115, 130], folder='cut', stop=2)
    resumed, later = train([7000, 7015, 7030], folder='cut', resume=True)
    assert '0.5 of 1 minutes are over' in said
    assert (later.frames, later.rates) == (seen.frames[2:], seen.rates[2:]) and resumed.iter == 4
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    train([0], folder='cut', resume=True)
    assert '1.0 of 1 minutes are over: nothing is left to do' in said


def test_a_resumed_training_keeps_to_what_it_is_measured_by(tiny_config, train):
    cfg = tiny_config(**{'train_cfg.max_iters': 1})
    Runner.from_cfg(cfg).train()
    with pytest.raises(ResumeError, match=r'train_cfg.max_minutes \(None then, 1 now\)'):
        train([0], resume=True)
    train([0, 60], folder='timed')
    with pytest.raises(ResumeError, match=r'train_cfg.max_minutes \(1 then, None now\)'):
        train([], folder='timed', resume=True, **{'train_cfg.max_minutes': None})


def test_processes_go_by_the_slowest_clock_and_never_take_an_iteration_for_the_last_one(monkeypatch):
    monkeypatch.setattr(training_clock, 'time', SimpleNamespace(monotonic=iter([0, 6, 12, 18, 24]).__next__))
    agreed = iter([0.3, 0.999999, 1.0, 1.7])
    monkeypatch.setattr(training_clock, 'all_reduce', lambda minutes, op: minutes.fill_(max(minutes, next(agreed))))
    runner = SimpleNamespace(hooks=[], register_hook=lambda hook: None, param_schedulers=None)
    clock = training_clock.TrainingClock(runner, max_minutes=1, max_iters=10)
    clock.before_run(runner)
    found = []
    for batch_idx in range(4):
        clock.after_train_iter(runner, batch_idx)
        found.append((clock.steps, clock.expected_iters))
    assert found == [(3, 4), (9, 3), (10, 3), (10, 4)]


@pytest.mark.parametrize('minutes', [0, -1, float('inf'), float('nan')])
def test_bad_minutes(minutes):
    with pytest.raises(ValueError, match=f'max_minutes must be a number above 0, got {minutes}'):
        training_clock.TrainingClock(None, minutes, 10)
