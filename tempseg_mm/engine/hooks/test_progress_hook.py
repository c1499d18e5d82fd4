"""How far a test is, how fast, how good so far, and when it will be done."""

import time
from datetime import timedelta

from mmengine.hooks import Hook

from tempseg_mm.registry import HOOKS


@HOOKS.register_module()
class TestProgressHook(Hook):
    """A line after each sequence, and within long ones every ``interval`` seconds.

    Keeps its own counters: asking the runner for its iteration would build the training data set.

    Args:
        interval: seconds.
    """

    priority = 'VERY_LOW'
    __test__ = False  # not a test class, whatever pytest makes of the name

    def __init__(self, interval: float = 10.0) -> None:
        self.interval = interval

    def before_test_epoch(self, runner) -> None:
        dataset = runner.test_loop.dataloader.dataset
        self._total = sum(len(dataset[i]['sequence']) for i in range(len(dataset)))
        self._sequences, self._done, self._finished = len(dataset), 0, 0
        self._started = self._last = time.monotonic()

    def after_frame(self, runner, frame) -> None:
        self._done += 1
        if time.monotonic() - self._last > self.interval:
            self._report(runner, f'{frame.sequence}: frame {frame.frame_id + 1}/{frame.num_frames}')

    def after_sequence(self, runner, sequence, size) -> None:
        self._finished += 1
        scores = runner.test_loop.evaluator.metrics[0].sequence_scores(sequence.name)
        self._report(runner, f'[{self._finished}/{self._sequences}] {sequence.name}: '
                     + ', '.join(f'{name} {value:.3f}' for name, value in scores.items()))

    def _report(self, runner, text: str) -> None:
        self._last = time.monotonic()
        spent = self._last - self._started
        eta = timedelta(seconds=round(spent / self._done * (self._total - self._done)))
        runner.logger.info(f'{text}  ({self._done / spent:.1f} frames/s, eta {eta})')
