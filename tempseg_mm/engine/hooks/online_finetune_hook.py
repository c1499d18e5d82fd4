"""Calls the online fine-tuner around each sequence of a test."""

from mmengine.hooks import Hook

from tempseg_mm.registry import HOOKS, TASK_UTILS
from tempseg_mm.runtime.progress import Progress


@HOOKS.register_module()
class OnlineFinetuneHook(Hook):
    """Adapts the generator before each sequence and restores it after.

    Args:
        finetuner: config of an ``OnlineFinetuner``.
    """

    priority = 'HIGH'

    def __init__(self, finetuner: dict) -> None:
        self.finetuner = TASK_UTILS.build(finetuner)

    def before_sequence(self, runner, sequence, size) -> None:
        progress = Progress(self.finetuner.steps, runner.logger.info, unit='steps')
        report = self.finetuner.adapt(
            runner.test_loop.model, sequence, size=size, seed=runner.seed,
            on_step=lambda step: progress.step(f'{sequence.name}: fine-tuning, step {step}/{self.finetuner.steps}'))
        if report.losses:
            runner.logger.info(f'{sequence.name}: fine-tuned {len(report.losses)} steps in {report.seconds:.1f} s, '
                               f'loss {report.losses[0]:.3f} -> {report.losses[-1]:.3f}')

    def after_sequence(self, runner, sequence, size) -> None:
        self.finetuner.restore(runner.test_loop.model)
