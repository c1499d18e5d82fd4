"""How far a test is, how fast, how good so far, and when it will be done."""

from mmengine.hooks import Hook

from tempseg_mm.registry import HOOKS
from tempseg_mm.runtime.progress import Progress


@HOOKS.register_module()
class ProgressHook(Hook):
    """A line after each sequence, and within long ones every ``interval`` seconds.

    Keeps its own counters: asking the runner for its iteration would build the training data set.

    Args:
        interval: seconds.
    """

    priority = 'VERY_LOW'

    def __init__(self, interval: float = 10.0) -> None:
        self.interval = interval

    def before_test_epoch(self, runner) -> None:
        loader = runner.test_loop.dataloader
        own = list(loader.sampler)  # the sequences of this process
        frames = sum(len(loader.dataset[index]['sequence']) for index in own)
        self._progress = Progress(frames, runner.logger.info, unit='frames', interval=self.interval)
        self._sequences, self._finished = len(own), 0

    def before_sequence(self, runner, sequence, size) -> None:
        self._steps: Progress | None = None

    def after_finetune_step(self, runner, sequence, done: int, total: int) -> None:
        """A step of online fine-tuning is done."""
        if self._steps is None:
            self._steps = Progress(total, runner.logger.info, unit='steps', interval=self.interval)
        self._steps.step(f'{sequence.name}: fine-tuning, step {done}/{total}')

    def after_finetuning(self, runner, sequence, adapted: dict) -> None:
        """All objects of the sequence have their generator."""
        for found in adapted.values():
            if found.losses:
                runner.logger.info(f'{sequence.name}: fine-tuned {len(found.losses)} steps in {found.seconds:.1f} s, '
                                   f'loss {found.losses[0]:.3f} -> {found.losses[-1]:.3f}')

    def after_frame(self, runner, frame) -> None:
        self._progress.step(f'{frame.sequence}: frame {frame.frame_id + 1}/{frame.num_frames}')

    def after_sequence(self, runner, sequence, size) -> None:
        self._finished += 1
        self._progress.report(self._scores(runner, sequence))

    def after_recall(self, runner, sequence) -> None:
        self._finished += 1
        self._progress.total -= len(sequence)  # they say nothing about the pace
        runner.logger.info(f'{self._scores(runner, sequence)}  (finished by an earlier run)')

    def _scores(self, runner, sequence) -> str:
        scores = runner.test_loop.evaluator.metrics[0].sequence_scores(sequence.name)
        return (f'[{self._finished}/{self._sequences}] {sequence.name}: '
                + ', '.join(f'{name} {value:.3f}' for name, value in scores.items()))
