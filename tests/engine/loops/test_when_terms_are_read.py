"""When the train loop reads the terms of its half-steps: see ``FiniteSteps``, whose own tests are in tests/engine."""

import copy

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop

from tempseg_mm.engine import finite_steps
from tempseg_mm.engine.loops import gan_train_loop


class Watch(Hook):
    """Keeps the weights, and what hooks know of the terms, after every iteration."""
    priority = 'LOWEST'

    def __init__(self):
        self.states, self.outputs, self.read = [], [], []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.states.append(copy.deepcopy(runner.model.state_dict()))
        self.outputs.append(outputs)
        self.read.append(len(values(runner)))


def watched(runner):
    watch = Watch()
    runner.register_hook(watch)
    return watch


def values(runner, name='loss_g'):
    """What the message hub has of a term, iteration by iteration."""
    logged = runner.message_hub.log_scalars.get(f'train/{name}')
    return [] if logged is None else logged.data[0].tolist()


@pytest.fixture
def reads(monkeypatch):
    """The numbers of sets of terms in each transfer."""
    found, as_floats = [], finite_steps.as_floats
    monkeypatch.setattr(finite_steps, 'as_floats', lambda *sets: found.append(len(sets)) or as_floats(*sets))
    return found


FUSED = {f'optim_wrapper.{part}.optimizer.fused': True for part in ('generator', 'adversary')}


@pytest.mark.parametrize('options, wanted', [
    (dict.fromkeys(FUSED, False), [1, 1]), (FUSED, [2]), ({**FUSED, 'train_cfg.discriminator_steps': 2}, [3]),
    ({**FUSED, 'train_cfg.generator_steps': 2}, [2, 1])])
def test_half_steps_that_the_device_can_withhold_are_read_together(make_runner, reads, options, wanted):
    runner = make_runner(**options)
    watch = watched(runner)
    runner.train()
    assert reads == wanted * 3
    assert all({'loss_d', 'loss_g'} < set(terms) for terms in watch.outputs)


def test_when_terms_are_read_changes_no_bit(make_runner, monkeypatch, on_cpu):
    def trained():
        torch.manual_seed(0)
        runner = make_runner(**FUSED)
        watch = watched(runner)
        runner.train()
        return watch
    at_the_end = trained()
    monkeypatch.setattr(finite_steps, 'can_withhold', lambda optim: False)
    before_updates = trained()
    assert at_the_end.outputs == before_updates.outputs
    for one, other in zip(at_the_end.states, before_updates.states, strict=True):
        assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_terms_are_read_where_they_are_logged_and_all_of_them_are(make_runner, reads, on_cpu):
    def trained(**options):
        torch.manual_seed(0)
        runner = make_runner(**{'train_cfg.max_iters': 8, **FUSED, **options})
        watch = watched(runner)
        reads.clear()
        runner.train()
        return runner, watch, list(reads)
    seldom, watch, found = trained(**{'default_hooks.logger.interval': 3})
    assert found == [6, 6, 4] and watch.read == [0, 0, 3, 3, 3, 6, 6, 8]
    assert [outputs is not None for outputs in watch.outputs] == [False, False, True] * 2 + [False, True]
    each, watch, found = trained()
    assert found == [2] * 8 and watch.read == list(range(1, 9))
    assert values(seldom) == values(each) and values(seldom, 'loss_d') == values(each, 'loss_d')
    weights = each.model.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in seldom.model.state_dict().items())


def test_no_more_batches_are_kept_than_the_loop_may_queue(make_runner, reads, monkeypatch):
    monkeypatch.setattr(gan_train_loop, 'MOST_QUEUED', 3)
    runner = make_runner(**{'train_cfg.max_iters': 8, 'default_hooks.logger.interval': 1000, **FUSED})
    watch = watched(runner)
    runner.train()
    assert reads == [6, 6, 4] and watch.read == [0, 0, 3, 3, 3, 6, 6, 8]


@pytest.mark.parametrize('options, read', [
    ({'default_hooks.checkpoint.interval': 2}, [0, 2, 2, 4, 5]), ({'default_hooks.logger': None}, [1, 2, 3, 4, 5])])
def test_terms_are_read_before_a_checkpoint_and_always_without_a_log(make_runner, options, read):
    runner = make_runner(**{'train_cfg.max_iters': 5, 'default_hooks.logger.interval': 5, **FUSED, **options})
    watch = watched(runner)  # after the hook that saves
    runner.train()
    assert watch.read == read


def test_terms_are_read_before_a_validation_and_at_the_end_of_a_stopped_run(make_runner):
    runner = make_runner(**{'train_cfg.max_iters': 9, 'train_cfg.val_interval': 2, 'default_hooks.logger.interval': 7,
                            'default_hooks.checkpoint': None, 'default_hooks.check_data': None, **FUSED})
    read = []

    class Validation(BaseLoop):
        def run(self):
            read.append(len(values(runner)))
    runner._val_loop = Validation(runner, None)

    class Stop(Hook):
        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            runner.train_loop.stop_training = batch_idx == 4
    runner.register_hook(Stop())
    runner.train()
    assert read == [2, 4] and runner.iter == 5 and len(values(runner)) == 5


def test_a_half_step_that_breaks_down_does_not_hide_numbers_that_went_wrong_before(make_runner, monkeypatch):
    runner = make_runner(**FUSED)
    model, losses = runner.model, runner.model.discriminator_losses
    monkeypatch.setattr(model, 'discriminator_losses', lambda *args: {k: v / 0 for k, v in losses(*args).items()})
    monkeypatch.setattr(model, 'generator_losses', lambda *_: (_ for _ in ()).throw(KeyError('other')))
    with pytest.raises(FloatingPointError, match='^loss_d_real, .*gradient of adversary not finite'):
        runner.train()
