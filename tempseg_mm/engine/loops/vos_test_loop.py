"""Tests sequence by sequence. mmengine's own loop would score masks before a hook could refine them."""

import os.path as osp

from mmengine.evaluator import Evaluator
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop
from torch import nn

from tempseg_mm.datasets.annotated_sequence import AnnotatedSequence
from tempseg_mm.engine.stages import check_stage_names, stages_in_order
from tempseg_mm.inference.segmenter import Segmenter
from tempseg_mm.registry import LOOPS
from tempseg_mm.runtime.processes import wait_for_all, without_wrappers
from tempseg_mm.runtime.terminal import LOG_ONLY


@LOOPS.register_module()
class VOSTestLoop(BaseLoop):
    """Lets a :class:`~tempseg_mm.inference.segmenter.Segmenter` segment every sequence of this process::

        hook.set_up_segmenter(segmenter)             # fine-tuner, augmentation: once, in order of priority
        for each sequence:
            hook.recall_sequence(runner, sequence)   # True: an earlier run finished it, so only after_recall(sequence)
            before_sequence(sequence, size)
            adapted = segmenter.adapt                # after_finetune_step(sequence, done, total) on the way
            after_finetuning(sequence, adapted)
            frames = segmenter.walk                  # hook.refine_masks(segmenter, stream): an iterator of
            for frame in frames:                     #   SegmentedFrame in, one out, in order
                evaluator.process(frame)             # what is scored is what is saved
                after_frame(frame)                   # export, pictures
            after_sequence(sequence, size)
            keep_sequence(sequence)                  # all results are recorded, for --resume

    A hook takes part in a stage by having a method of that name; a hook with a misspelt stage is refused.
    ``set_up_segmenter`` and ``refine_masks`` also act on single videos and streams; the other stages belong to a test.

    Several processes share the sequences. Each has its own network and never waits for the others; the evaluator
    gathers all results at the end.

    Args:
        runner: the Runner.
        dataloader: loader of whole sequences (a dataset with ``test_mode=True``, batch size 1, ``SequenceSampler``).
        evaluator: evaluator with a ``VOSMetric``.
        num_given_frames: number of frames with a given mask for each object, from the first one that shows it: 2 in the
            paper, 1 in the one-shot protocol and in benchmarks with several objects.
        out_dir: folder where hooks write the results; default: ``<work_dir>/test``.

    Attributes:
        segmenter: segmenter of the test that is running.
        written: name -> file or folder that hooks have written, for the last lines of the log.
        pictures: sequence -> {title: file} of the pictures that hooks have drawn, for the report page.
    """

    def __init__(self, runner, dataloader, evaluator, *, num_given_frames: int = 2, out_dir: str | None = None
                 ) -> None:
        super().__init__(runner, dataloader)
        if num_given_frames < 1:
            raise ValueError(f'num_given_frames must be at least 1, got {num_given_frames}')
        self.num_given_frames = num_given_frames
        self.out_dir = out_dir or osp.join(runner.work_dir, 'test')
        self.evaluator = evaluator if isinstance(evaluator, Evaluator) else runner.build_evaluator(evaluator)
        self.evaluator.dataset_meta = runner.visualizer.dataset_meta = self.dataloader.dataset.metainfo
        self.segmenter: Segmenter | None = None
        self.written: dict[str, str] = {}
        self.pictures: dict[str, dict] = {}

    @property
    def model(self) -> nn.Module:
        """Model without its distributed wrapper."""
        return self.runner.model.module if is_model_wrapper(self.runner.model) else self.runner.model

    def run(self) -> dict:
        """Test all sequences of this process and return the metrics of the whole data set."""
        check_stage_names(self.runner.hooks)
        self.runner.logger.info(f'Stages of a test and the hooks in them:\n{stages_in_order(self.runner.hooks)}',
                                extra=LOG_ONLY)
        with without_wrappers(self.model):
            self.runner.call_hook('before_test')
            self.runner.call_hook('before_test_epoch')
            self.runner.model.eval()
            self.segmenter = Segmenter.with_hooks(self.model, self.runner.hooks, size=self.dataloader.dataset.size,
                                                  seed=self.runner.seed)
            try:
                for batch in self.dataloader:
                    sequence = batch['sequence'][0]
                    if not self._is_recalled(sequence):
                        self.run_iter(sequence)
            finally:
                self.segmenter.close()
            wait_for_all()
            metrics = self.evaluator.evaluate(len(self.dataloader.dataset))
            self.runner.call_hook('after_test_epoch', metrics=metrics)
            self.runner.call_hook('after_test')
        return metrics

    def run_iter(self, sequence) -> None:
        """Test one sequence, as shown in the class."""
        size, given = self.segmenter.size, AnnotatedSequence(sequence, self.num_given_frames)
        self.runner.call_hook('before_sequence', sequence=sequence, size=size)
        adapted = self.segmenter.adapt(given, on_step=lambda done, total: self.runner.call_hook(
            'after_finetune_step', sequence=sequence, done=done, total=total))
        self.runner.call_hook('after_finetuning', sequence=sequence, adapted=adapted)
        for _, frames in self.segmenter.walk(given, adapted):
            for frame in frames:
                self.evaluator.process(data_samples=[frame], data_batch=None)
                self.runner.call_hook('after_frame', frame=frame)
        self._note(sequence)
        self.runner.call_hook('after_sequence', sequence=sequence, size=size)
        self.runner.call_hook('keep_sequence', sequence=sequence)

    def _note(self, sequence) -> None:
        """Give the metrics what the annotations contain, after all of them have been read."""
        for metric in self.evaluator.metrics:
            if hasattr(metric, 'note'):
                metric.note(sequence.name, merged=sequence.merged_ids, groups=sequence.groups)

    def _is_recalled(self, sequence) -> bool:
        """Return True if a hook restored this sequence's results from an earlier run."""
        recalled = any(hook.recall_sequence(self.runner, sequence)
                       for hook in self.runner.hooks if hasattr(hook, 'recall_sequence'))
        if recalled:
            self.runner.call_hook('after_recall', sequence=sequence)
        return recalled

    @property
    def keepers(self) -> dict:
        """Title -> metric or hook that stores results by sequence, with ``sequence_state`` and ``restore_sequence``."""
        metrics = {f'{type(metric).__name__} {i}': metric for i, metric in enumerate(self.evaluator.metrics)}
        hooks = {type(hook).__name__: hook for hook in self.runner.hooks}
        return {title: keeper for title, keeper in {**metrics, **hooks}.items() if hasattr(keeper, 'sequence_state')}
