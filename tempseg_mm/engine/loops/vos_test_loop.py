"""Testing, sequence by sequence. The stock loop scores masks before any hook could refine them; this one does not."""

from mmengine.evaluator import Evaluator
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop
from torch import nn

from tempseg_mm.inference.propagator import Propagator
from tempseg_mm.inference.segment import segment_sequence
from tempseg_mm.registry import LOOPS
from tempseg_mm.runtime.processes import wait_for_all, without_wrappers


@LOOPS.register_module()
class VOSTestLoop(BaseLoop):
    """For each sequence of this process::

        hook.recall_sequence(runner, sequence)       # True: it was finished before, so only after_recall(sequence)
        before_sequence(sequence, size)              # OnlineFinetuneHook adapts the generator
        stream = frames segmented one after the other
        stream = hook.refine_masks(runner, stream)   # every hook that has it, in order of priority
        for frame in stream:
            evaluator.process(frame)                 # what is scored is what is saved
            after_frame(frame)                       # export, pictures
        after_sequence(sequence, size)               # the generator is restored, what was found is recorded

    A hook takes part in a stage by having a method of that name; ``refine_masks`` takes and returns an iterator of
    ``FramePrediction``, in order, and may look ahead.

    Several processes share the sequences, each with a network of its own that no other process holds up; the
    evaluator gathers what all of them found, when the last one is through.

    Args:
        runner: the Runner.
        dataloader: of whole sequences (a dataset with ``test_mode=True``, batch size 1, ``SequenceSampler``).
        evaluator: of ``VOSMetric``.
        num_given_frames: how many of the first frames come with their mask: 2 in the paper, 1 in the one-shot protocol.
    """

    def __init__(self, runner, dataloader, evaluator, *, num_given_frames: int = 2) -> None:
        super().__init__(runner, dataloader)
        if num_given_frames < 1:
            raise ValueError(f'num_given_frames must be at least 1, got {num_given_frames}')
        self.num_given_frames = num_given_frames
        self.evaluator = evaluator if isinstance(evaluator, Evaluator) else runner.build_evaluator(evaluator)
        self.evaluator.dataset_meta = runner.visualizer.dataset_meta = self.dataloader.dataset.metainfo

    @property
    def model(self) -> nn.Module:
        """The model without its distributed wrapper."""
        return self.runner.model.module if is_model_wrapper(self.runner.model) else self.runner.model

    def run(self) -> dict:
        """Walk all sequences of this process; returns the metrics of the whole data set."""
        with without_wrappers(self.model):
            self.runner.call_hook('before_test')
            self.runner.call_hook('before_test_epoch')
            self.runner.model.eval()
            for batch in self.dataloader:
                sequence = batch['sequence'][0]
                if not self._is_recalled(sequence):
                    self.run_iter(sequence, self.dataloader.dataset.size)
            wait_for_all()
            metrics = self.evaluator.evaluate(len(self.dataloader.dataset))
            self.runner.call_hook('after_test_epoch', metrics=metrics)
            self.runner.call_hook('after_test')
        return metrics

    def run_iter(self, sequence, size) -> None:
        """One sequence, as drawn above."""
        self.runner.call_hook('before_sequence', sequence=sequence, size=size)
        stream = segment_sequence(
            sequence, Propagator(self.model, size=size), num_given_frames=self.num_given_frames)
        for hook in self.runner.hooks:
            if hasattr(hook, 'refine_masks'):
                stream = hook.refine_masks(self.runner, stream)
        for frame in stream:
            self.evaluator.process(data_samples=[frame], data_batch=None)
            self.runner.call_hook('after_frame', frame=frame)
        self.runner.call_hook('after_sequence', sequence=sequence, size=size)

    def _is_recalled(self, sequence) -> bool:
        """Whether a hook knows from an earlier run what the sequence gives, and has said so to whoever keeps scores."""
        recalled = any(hook.recall_sequence(self.runner, sequence)
                       for hook in self.runner.hooks if hasattr(hook, 'recall_sequence'))
        if recalled:
            self.runner.call_hook('after_recall', sequence=sequence)
        return recalled
