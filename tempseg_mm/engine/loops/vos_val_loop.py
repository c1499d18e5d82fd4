"""Validation between iterations of training: whole sequences, as the network is, without anything a test adds."""

from tempseg_mm.inference.propagator import Propagator
from tempseg_mm.inference.segment import segment_sequence
from tempseg_mm.registry import LOOPS
from tempseg_mm.runtime.processes import wait_for_all, without_wrappers
from tempseg_mm.runtime.random_state import own_randomness

from .vos_test_loop import VOSTestLoop


@LOOPS.register_module()
class VOSValLoop(VOSTestLoop):
    """``val_cfg`` of a config::

        before_val, before_val_epoch
        for each sequence:
            for frame in the frames segmented one after the other:
                evaluator.process(frame)
        after_val_epoch(metrics)                     # AtomicCheckpointHook keeps the best
        after_val

    No fine-tuning, no refinement, no export: it compares the weights of one run with each other. The random numbers of
    training go on afterwards as if nothing had been drawn.

    Args:
        see :class:`VOSTestLoop`.
    """

    def run(self) -> dict:
        """Walk all sequences; returns the metrics."""
        self.runner.call_hook('before_val')
        self.runner.call_hook('before_val_epoch')
        self.runner.model.eval()
        with own_randomness(self.runner.seed, 'validation'), without_wrappers(self.model):
            for batch in self.dataloader:
                self.run_iter(batch['sequence'][0], self.dataloader.dataset.size)
            wait_for_all()
            metrics = self.evaluator.evaluate(len(self.dataloader.dataset))
        self.runner.call_hook('after_val_epoch', metrics=metrics)
        self.runner.call_hook('after_val')
        return metrics

    def run_iter(self, sequence, size) -> None:
        """One sequence."""
        for frame in segment_sequence(
                sequence, Propagator(self.model, size=size), num_given_frames=self.num_given_frames):
            self.evaluator.process(data_samples=[frame], data_batch=None)
