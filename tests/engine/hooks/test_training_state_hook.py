import pytest
import torch

from tempseg_mm.engine.hooks.training_state_hook import TrainingStateHook
from tempseg_mm.registry import HOOKS


@pytest.fixture
def runner(make_runner):
    """Before training, as if resumed after two iterations."""
    runner = make_runner()
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.train_loop._iter = 2
    return runner


def test_a_state_goes_into_a_checkpoint_and_comes_out_again(runner):
    hook, checkpoint = HOOKS.build(dict(type='TrainingStateHook')), {}
    runner.train_loop.dataloader.position = 4
    hook.before_save_checkpoint(runner, checkpoint)
    expected = torch.rand(1)
    runner.train_loop.dataloader.position = 0
    hook.after_load_checkpoint(runner, checkpoint)
    assert runner.train_loop.dataloader.position == 0 and checkpoint == {}
    hook.before_train_epoch(runner)
    assert runner.train_loop.dataloader.position == 4 and torch.equal(torch.rand(1), expected)
    hook.before_train_epoch(runner)  # once
    assert not torch.equal(torch.rand(1), expected)


def test_what_a_run_starts_from_is_no_state_of_it(runner):
    hook, checkpoint = TrainingStateHook(), {}
    hook.before_save_checkpoint(runner, checkpoint)
    hook.after_load_checkpoint(runner, checkpoint)
    runner.train_loop._iter = 0
    expected = torch.get_rng_state()
    torch.rand(1)
    hook.before_train_epoch(runner)
    assert not torch.equal(torch.get_rng_state(), expected)
