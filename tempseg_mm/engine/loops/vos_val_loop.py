"""Validates during training: whole sequences, with the network alone and without the additions of a test."""

from tempseg_mm.datasets.annotated_sequence import AnnotatedSequence
from tempseg_mm.inference.segmenter import Segmenter
from tempseg_mm.registry import LOOPS
from tempseg_mm.runtime.processes import wait_for_all, without_wrappers
from tempseg_mm.runtime.random_state import own_randomness

from .vos_test_loop import VOSTestLoop


@LOOPS.register_module()
class VOSValLoop(VOSTestLoop):
    """Segments and scores each sequence, for ``val_cfg`` of a config::

        before_val, before_val_epoch
        for each sequence:
            for frame in the frames segmented one after the other:
                evaluator.process(frame)
        after_val_epoch(metrics)                     # AtomicCheckpointHook keeps the best
        after_val

    It does not fine-tune, refine or export, because it compares the weights of one run with each other. It does not
    change the random numbers of the training.

    Args:
        runner: see :class:`VOSTestLoop`, also for the other arguments.
    """

    def __init__(self, runner, dataloader, evaluator, *, num_given_frames: int = 2) -> None:
        super().__init__(runner, dataloader, evaluator, num_given_frames=num_given_frames)
        self._told: set[str] = set()

    def run(self) -> dict:
        """Segment all sequences and return the metrics."""
        self.runner.call_hook('before_val')
        self.runner.call_hook('before_val_epoch')
        self.runner.model.eval()
        self.segmenter = Segmenter(self.model, size=self.dataloader.dataset.size)
        with own_randomness(self.runner.seed, 'validation'), without_wrappers(self.model):
            for batch in self.dataloader:
                self.run_iter(batch['sequence'][0])
            wait_for_all()
            metrics = self.evaluator.evaluate(len(self.dataloader.dataset))
        self._tell()
        self.runner.call_hook('after_val_epoch', metrics=metrics)
        self.runner.call_hook('after_val')
        return metrics

    def _tell(self) -> None:
        """Log the notices that a test has in its table, each once per training. Only the main process has tables."""
        tables = [table for metric in self.evaluator.metrics if (table := getattr(metric, 'scores', None)) is not None]
        for notice in (notice for table in tables for notice in table.notices if notice not in self._told):
            self._told.add(notice)
            self.runner.logger.warning(notice)

    def run_iter(self, sequence) -> None:
        """Segment and score one sequence."""
        for frame in self.segmenter.segment(AnnotatedSequence(sequence, self.num_given_frames)):
            self.evaluator.process(data_samples=[frame], data_batch=None)
        self._note(sequence)
