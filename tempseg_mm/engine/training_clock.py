"""Training with a budget of minutes instead of iterations. ``GANTrainLoop`` makes the clock."""

import math
import time
from typing import Any

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import ParamSchedulerHook


class TrainingClock(ParamSchedulerHook):
    """Ends training after ``max_minutes``, and completes every schedule in this time, however many iterations fit.

    Schedules still count the iterations of the config, ``max_iters`` in all. When a third of the time is over, each
    schedule has made a third of them. So one iteration may bring several steps of the schedules, or none. This hook
    replaces the hook that gives them one step per iteration.

    All time after ``before_run`` counts, including validations and checkpoints. The current iteration is finished, and
    a last validation follows. Gradients that are still being accumulated are dropped. All processes use the largest
    time among them, so that they agree on every learning rate and on the last iteration.

    Args:
        runner: the Runner whose schedules the clock drives; the clock registers itself as a hook.
        max_minutes: budget for all runs together, if training is resumed.
        max_iters: number of iterations in the config.

    Attributes:
        minutes: minutes spent at the end of the last iteration.
        steps: number of steps that the schedules have made.
        expected_iters: expected number of all iterations at the pace so far; the true number once the time is over.

    Raises:
        ValueError: unless ``max_minutes`` is a positive number.
    """

    priority = 'VERY_HIGH'  # other hooks ask in this stage whether this is the last iteration

    def __init__(self, runner: Any, max_minutes: float, max_iters: int) -> None:
        if not 0 < max_minutes < math.inf:
            raise ValueError(f'max_minutes must be a number above 0, got {max_minutes!r}')
        self.max_minutes, self.max_iters, self.expected_iters = max_minutes, max_iters, max_iters
        self.minutes, self.steps = 0.0, 0
        self._before, self._started = 0.0, math.nan
        runner.hooks[:] = [hook for hook in runner.hooks if not isinstance(hook, ParamSchedulerHook)]
        runner.register_hook(self)

    @property
    def share(self) -> float:
        """Share of the time that is over, in [0, 1]."""
        return min(self.minutes / self.max_minutes, 1.0)

    def before_run(self, runner) -> None:
        self._started = time.monotonic()

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        minutes = torch.tensor(self._before + (time.monotonic() - self._started) / 60, dtype=torch.float64)
        all_reduce(minutes, 'max')
        self.minutes = minutes.item()
        self._expect(batch_idx + 1)
        while self.steps < math.floor(self.share * self.max_iters):
            super().after_train_iter(runner, batch_idx, data_batch, outputs)
            self.steps += 1

    def state_dict(self) -> dict:
        """Return the state that a resumed training needs, as plain types."""
        return dict(minutes=self.minutes, steps=self.steps)

    def load_state_dict(self, state: dict, done: int) -> None:
        """Restore the clock from :meth:`state_dict` after ``done`` iterations. The Runner restores the schedules."""
        self.minutes, self.steps = state['minutes'], state['steps']
        self._before = self.minutes
        self._expect(done)

    def _expect(self, done: int) -> None:
        """Estimate the number of all iterations; it exceeds ``done`` until the time is over."""
        left = max(self.max_minutes - self.minutes, 0.0)
        self.expected_iters = done + math.ceil(left * done / max(self.minutes, 1e-9))
