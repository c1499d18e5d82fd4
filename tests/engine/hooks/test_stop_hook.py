import os
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop

from tempseg_mm.engine.hooks import stop_hook
from tempseg_mm.engine.hooks.stop_hook import StopHook
from tempseg_mm.runtime.stop_signals import StopSignals


class Sends(Hook):
    """A signal to this process before iteration ``at``, from 1."""

    def __init__(self, at, name='SIGTERM'):
        self.at, self.signal = at, getattr(signal, name)

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if batch_idx + 1 == self.at:
            os.kill(os.getpid(), self.signal)


class Validation(BaseLoop):
    """Notes the iteration, in place of a validation."""

    def __init__(self, runner, found):
        super().__init__(runner, runner.train_loop.dataloader)
        self.found = found

    def run(self):
        self.found.append(self.runner.iter)


@pytest.fixture
def train(make_runner):
    """Trains; returns the names of the checkpoints, the last iteration and the signals."""
    def run(at, name='SIGTERM', *, validated=None, **options):
        runner = make_runner(**options)
        if validated is not None:
            runner._val_loop = Validation(runner, validated)
        with StopSignals() as signals:
            runner.register_hook(StopHook(signals))
            runner.register_hook(Sends(at, name))
            runner.train()
        return sorted(path.name for path in Path(runner.work_dir).glob('*.pth')), runner.iter, signals
    return run


def test_the_iteration_is_finished_and_saved(train, capfd):
    saved, done, signals = train(2)
    assert saved == ['iter_2.pth'] and done == 2 and signals.stopped
    assert 'SIGTERM: stopped after iteration 2, saved; continue with --resume' in capfd.readouterr().out


def test_a_checkpoint_of_this_iteration_is_not_saved_twice(train, monkeypatch):
    saves, save = [], torch.save
    monkeypatch.setattr(torch, 'save', lambda *args, **kwargs: saves.append(1) or save(*args, **kwargs))
    saved, _, _ = train(2, 'SIGINT', **{'default_hooks.checkpoint.interval': 2})
    assert saved == ['iter_2.pth'] and len(saves) == 1


def test_no_validation_holds_it_up(train):
    validated = []
    saved, _, _ = train(2, validated=validated, **{'train_cfg.val_interval': 1})
    assert saved == ['iter_2.pth'] and validated == [1]


def test_in_the_last_iteration_training_is_done(train):
    saved, done, signals = train(3)
    assert saved == ['iter_3.pth'] and done == 3 and not signals.stopped


def test_without_a_hook_that_saves_it_says_so(train, capfd):
    saved, done, _ = train(1, **{'default_hooks.checkpoint': None})
    assert saved == [] and done == 1
    assert 'stopped after iteration 1, not saved: no AtomicCheckpointHook' in capfd.readouterr().out


def test_a_signal_to_another_process_stops_this_one_too(train, monkeypatch, capfd):
    monkeypatch.setattr(stop_hook, 'get_world_size', lambda: 2)
    monkeypatch.setattr(stop_hook, 'all_reduce', lambda flag, op: flag.fill_(1) if op == 'max' else None)
    saved, done, signals = train(0)
    assert saved == ['iter_1.pth'] and done == 1 and signals.stopped
    assert 'a signal to another process: stopped after iteration 1' in capfd.readouterr().out


@pytest.mark.parametrize('end, stopped', [(8, True), (6, False)])
def test_an_epoch_is_finished_first_and_the_end_is_said_once(end, stopped):
    """A signal in the fourth of six iterations of an epoch, in a run of ``end``."""
    said, signals = [], StopSignals()
    signals.received = signal.SIGTERM
    runner = SimpleNamespace(iter=3, max_iters=end, train_loop=SimpleNamespace(stop_training=False),
                             logger=SimpleNamespace(warning=said.append))
    hook = StopHook(signals)
    for runner.iter in (3, 4, 5):
        hook.after_train_iter(runner, runner.iter)
        assert runner.train_loop.stop_training and not said
    runner.iter = 6
    hook.before_save_checkpoint(runner, dict(meta=dict(iter=6), optimizer={}))
    hook.before_save_checkpoint(runner, dict(meta=dict(iter=7)))  # the best one, weights alone
    hook.after_train(runner)
    assert signals.stopped == stopped
    assert said == ['SIGTERM: stopped after iteration 6, saved; continue with --resume'] * stopped
