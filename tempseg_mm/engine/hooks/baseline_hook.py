"""Runs the baselines on the same sequences as the method and compares all in one table."""


from mmengine.hooks import Hook

from tempseg_mm.datasets.annotated_sequence import AnnotatedSequence
from tempseg_mm.evaluation.score_table import comparison_table
from tempseg_mm.evaluation.vos_metric import VOSMetric
from tempseg_mm.registry import HOOKS, TASK_UTILS

RIVALS = {
    'copying the last given mask': dict(type='CopyMask'),
    'moving the mask along the flow': dict(type='FlowPropagation'),
    'untrained, same fine-tuning': dict(type='UntrainedGenerator'),
}


@HOOKS.register_module()
class BaselineHook(Hook):
    """After each sequence, lets every baseline segment it too; at the end a table compares them with the method.

    The frames of the baselines are scored with the settings of the first ``VOSMetric`` of the test.

    Args:
        baselines: title -> config; default: all three of ``tempseg_mm.inference.baselines``.
    """

    priority = 'LOW'

    def __init__(self, baselines: dict | None = None) -> None:
        self.baselines = {title: TASK_UTILS.build(cfg) for title, cfg in (baselines or RIVALS).items()}

    def before_test(self, runner) -> None:
        own = (metric for metric in runner.test_loop.evaluator.metrics if isinstance(metric, VOSMetric))
        like = next(own, VOSMetric())
        self.metrics = {title: VOSMetric(measures=('J', 'F'), bound_th=like.bound_th, skip_first=like.skip_first,
                                         skip_last=like.skip_last) for title in self.baselines}

    def after_sequence(self, runner, sequence, size) -> None:
        loop = runner.test_loop
        for title, baseline in self.baselines.items():
            for frame in baseline.segmenter(loop.segmenter).segment(
                    AnnotatedSequence(sequence, loop.num_given_frames)):
                self.metrics[title].process(None, [frame])

    def sequence_state(self, name: str) -> dict:
        """Return the results of every baseline on a sequence, see ``ResultHook``."""
        return {title: metric.sequence_state(name) for title, metric in self.metrics.items()}

    def restore_sequence(self, name: str, state: dict) -> None:
        """Restore the results of the baselines from another run."""
        for title, metric in self.metrics.items():
            metric.restore_sequence(name, state[title])

    def after_test_epoch(self, runner, metrics: dict | None = None) -> None:
        size = len(runner.test_loop.dataloader.dataset)
        rows = {runner.experiment_name.rsplit('_', 2)[0]: metrics}
        rows.update({title: metric.evaluate(size) for title, metric in self.metrics.items()})
        runner.logger.info(comparison_table(rows) if metrics else
                           'No annotated frame was scored, so there is nothing to compare with the baselines.')
