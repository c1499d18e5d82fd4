"""Reports how far a training or a test is, how fast, how good so far, and when it will end."""

import sys
from collections.abc import Sequence

from mmengine.hooks import Hook

from tempseg_mm.inference.online_finetuner import summary_of
from tempseg_mm.registry import HOOKS
from tempseg_mm.runtime.progress import Progress


@HOOKS.register_module()
class ProgressHook(Hook):
    """Prints progress lines, no more often than :class:`~tempseg_mm.runtime.progress.Progress` allows::

        iteration 80 of 450 (18%): loss_g 0.261, loss_bce 0.009, loss_d 1.385  (1.64 s each, eta 0:10:07)
        iteration 80, minute 2.2 of 30 (7%): loss_g 0.261, loss_bce 0.009, loss_d 1.385  (1.64 s each, eta 0:27:48)
        validation after iteration 300: J_mean 0.712, F_mean 0.655
        test_001: frame 40/80  (2.1 frames/s, eta 0:01:10)
        [2/6] test_001: J 0.812, F 0.790, T 0.102; fine-tuned on 2 masks, 60 steps in 4.1 s, IoU on them 0.31 -> 0.96
            (2.1 frames/s, eta 0:00:48)

    The log file and TensorBoard have all terms of the losses, as often as ``LoggerHook`` writes them. In a test the
    hook uses its own counters, because asking the runner for its iteration would build the training data set.

    Args:
        interval: seconds between lines. If the output is a file or pipe, the interval of lines within a sequence of a
            test is six times as long; each sequence also has a line at its end.
        losses: loss terms to print, as means over the window of the ``log_processor``. Terms that a training does not
            have are left out.
    """

    priority = 'VERY_LOW'

    def __init__(self, interval: float = 10.0, *,
                 losses: Sequence[str] = ('loss', 'loss_g', 'loss_bce', 'loss_d')) -> None:
        self.interval = interval
        self.losses = tuple(losses)
        self._iterations: Progress | None = None

    def before_train(self, runner) -> None:
        self._first = runner.iter
        self._iterations = Progress(runner.max_iters - runner.iter, runner.logger.info, unit='iterations',
                                    interval=self.interval, steady=True)

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        self._iterations.total = runner.max_iters - self._first  # by the clock, the expected number changes
        self._iterations.step(lambda: self._iteration(runner, runner.iter + 1))

    def after_train(self, runner) -> None:
        self._iterations.report(self._iteration(runner, runner.iter))

    def after_val_epoch(self, runner, metrics: dict | None = None) -> None:
        scores = ', '.join(f'{name} {value:.3f}' for name, value in (metrics or {}).items())
        when = f' after iteration {runner.iter}' if self._iterations else ''  # otherwise no training runs
        runner.logger.info(f'validation{when}: {scores or "no scores"}')

    def before_test_epoch(self, runner) -> None:
        loader = runner.test_loop.dataloader
        own = list(loader.sampler)  # the sequences of this process
        frames = sum(len(loader.dataset[index]['sequence']) for index in own)
        self._progress = Progress(frames, runner.logger.info, unit='frames', interval=self._seldom)
        self._sequences, self._finished = len(own), 0

    def before_sequence(self, runner, sequence, size) -> None:
        self._steps: Progress | None = None
        self._gained: list[str] = []

    def after_finetune_step(self, runner, sequence, done: int, total: int) -> None:
        """Report a finished step of online fine-tuning."""
        if self._steps is None:
            self._steps = Progress(total, runner.logger.info, unit='steps', interval=self._seldom)
        self._steps.total = total  # an object that is hard to learn takes more steps
        self._steps.step(f'{sequence.name}: fine-tuning, step {done}/{total}')

    def after_finetuning(self, runner, sequence, adapted: dict) -> None:
        """Store the gain of fine-tuning for the line of the sequence, and warn of objects on which it failed."""
        self._gained = [summary] if (summary := summary_of(adapted)) else []
        for object_id, found in adapted.items():
            if found.fit and found.fit.fault:
                which = f', object {object_id}' if len(adapted) > 1 else ''
                runner.logger.warning(f'{sequence.name}{which}: {found.fit.fault}.')

    def after_frame(self, runner, frame) -> None:
        self._progress.step(f'{frame.sequence}: frame {frame.frame_id + 1}/{frame.num_frames}')

    def after_sequence(self, runner, sequence, size) -> None:
        self._finished += 1
        self._progress.report('; '.join([self._scores(runner, sequence), *self._gained]))

    def after_recall(self, runner, sequence) -> None:
        self._finished += 1
        self._progress.total -= len(sequence)  # its frames say nothing about the pace
        runner.logger.info(f'{self._scores(runner, sequence)}  (finished by an earlier run)')

    @property
    def _seldom(self) -> float:
        return self.interval * (1 if sys.stdout.isatty() else 6)

    def _iteration(self, runner, done: int) -> str:
        scalars = runner.message_hub.log_scalars
        window = runner.log_processor.window_size
        terms = ', '.join(f'{name} {scalars[f"train/{name}"].mean(window):.3f}' for name in self.losses
                          if f'train/{name}' in scalars)
        clock = getattr(runner.train_loop, 'clock', None)
        where = f' of {runner.max_iters} ({done / runner.max_iters:.0%})' if clock is None else \
            f', minute {clock.minutes:.1f} of {clock.max_minutes:g} ({clock.share:.0%})'
        return f'iteration {done}{where}{terms and ": "}{terms}'

    def _scores(self, runner, sequence) -> str:
        scores = runner.test_loop.evaluator.metrics[0].sequence_scores(sequence.name)
        means = ', '.join(f'{name.removesuffix("_mean")} {value:.3f}' for name, value in scores.items()
                          if name.endswith('_mean') and value == value)
        return f'[{self._finished}/{self._sequences}] {sequence.name}: {means or "no frame was scored"}'
