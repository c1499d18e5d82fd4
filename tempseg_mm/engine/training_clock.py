"""Training by the clock: a budget of minutes in place of one of iterations. Made by ``GANTrainLoop``."""

import math
import time
from typing import Any

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import ParamSchedulerHook


class TrainingClock(ParamSchedulerHook):
    """Ends training after so many minutes, and has every schedule run through in them, however many iterations fit.

    Schedules go on counting the iterations that the config writes, of ``max_iters`` in all: when a third of the time is
    over each has made a third of them, in as many steps at once as it takes, or in none. The hook that gives them one
    step an iteration makes room. All that comes after ``before_run`` counts, validations and checkpoints too; the
    iteration under way is finished, and a last validation comes on top. Gradients that still gather under accumulation
    are dropped.

    Processes go by the one that has spent most, so that they agree on every rate and on the last iteration.

    Args:
        runner: whose schedules it drives, and whose hook it becomes.
        max_minutes: of all runs together, where training is resumed.
        max_iters: of the config.

    Attributes:
        minutes: spent when the newest iteration was done.
        steps: that schedules have made.
        expected_iters: how many iterations there will be at the pace so far; once the time is over, there have been.

    Raises:
        ValueError: unless ``max_minutes`` is a positive number.
    """

    priority = 'VERY_HIGH'  # others ask in this stage whether the iteration was the last one

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
        """Of the time that is over, in [0, 1]."""
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
        """What a resumed training needs, as plain types."""
        return dict(minutes=self.minutes, steps=self.steps)

    def load_state_dict(self, state: dict, done: int) -> None:
        """Undo :meth:`state_dict`, after so many iterations; the state of the schedules is the Runner's affair."""
        self.minutes, self.steps = state['minutes'], state['steps']
        self._before = self.minutes
        self._expect(done)

    def _expect(self, done: int) -> None:
        """More than ``done`` until the time is over, so that no iteration is taken for the last one that is not."""
        left = max(self.max_minutes - self.minutes, 0.0)
        self.expected_iters = done + math.ceil(left * done / max(self.minutes, 1e-9))
