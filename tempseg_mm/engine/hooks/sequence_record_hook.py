"""Keeps what a test found on each finished sequence, so that another run can go on after it."""

import os.path as osp
import sys

import torch
from mmengine.dist import barrier, is_main_process
from mmengine.hooks import Hook

from tempseg_mm.engine.method_hooks import method_hooks
from tempseg_mm.engine.sequence_records import SequenceRecords, fingerprints
from tempseg_mm.registry import HOOKS, SCOPE

from .result_hook import ResultHook


@HOOKS.register_module()
class SequenceRecordHook(Hook):
    """``<out_dir>/sequences/<sequence>.json``, written when all else of the sequence is.

    It holds what every metric and every hook with a method ``sequence_state(name)`` has found on the sequence;
    ``restore_sequence(name, state)`` of a later run takes it in place of the sequence's frames. What a sequence gives
    does not depend on those before it, so the table is the same to the bit as that of a run without a stop.

    Args:
        resume: skip sequences that an earlier run finished with the same weights, data and settings; else the records
            of an earlier run are removed.
        out_dir: default: that of ``ResultHook``, else ``<work_dir>/test``.

    Raises:
        ValueError: from ``before_test``, if what an earlier run found was found with anything else, or a metric keeps
            nothing by sequence.
    """

    priority = 'LOWEST'  # of a sequence, the record comes last

    def __init__(self, resume: bool = False, out_dir: str | None = None) -> None:
        self.resume = resume
        self.out_dir = out_dir

    def before_test(self, runner) -> None:
        self._results = next((hook for hook in runner.hooks if isinstance(hook, ResultHook)), None)
        default = self._results.out_dir if self._results else osp.join(runner.work_dir, 'test')
        folder = osp.join(self.out_dir or default, 'sequences')
        self._records = SequenceRecords(folder, fingerprints(depends_on(runner)))
        if self.resume:
            _require_states(runner.test_loop.evaluator.metrics)
            runner.logger.info(f'going on after {self._records.check()} finished sequences in {folder}')
        elif is_main_process():
            self._records.clear()
        barrier()  # no process writes before the old ones are gone

    def recall_sequence(self, runner, sequence) -> bool:
        """See ``VOSTestLoop``. A sequence is not recalled if a mask is gone or someone would have no state of it."""
        found = self._records.read(sequence.name) if self.resume else None
        if found is None:
            return False
        keepers = _keepers(runner)
        whole = found['frames'] == len(sequence) and keepers.keys() <= found['states'].keys()
        if not whole or self._results and not self._results.has_masks(sequence):
            runner.logger.info(f'{sequence.name} is done again: not all that is wanted now was kept of it')
            return False
        for title, keeper in keepers.items():
            keeper.restore_sequence(sequence.name, found['states'][title])
        return True

    def after_sequence(self, runner, sequence, size) -> None:
        states = {title: keeper.sequence_state(sequence.name) for title, keeper in _keepers(runner).items()}
        self._records.write(sequence.name, dict(frames=len(sequence), states=states))


def depends_on(runner) -> dict:
    """What the masks and scores of a test depend on, by name: settings as plain values, weights as a state dict."""
    cfg = runner.cfg.to_dict()
    dataset = dict(cfg['test_dataloader']['dataset'])
    dataset.pop('sequences', None)  # each gives what it gives, whichever others there are
    return dict(
        weights=runner.test_loop.model.state_dict(), model=cfg.get('model'), dataset=dataset,
        test_cfg=cfg.get('test_cfg'), test_evaluator=cfg.get('test_evaluator'), hooks=method_hooks(cfg),
        randomness=cfg.get('randomness'), version=[sys.modules[SCOPE].__version__, torch.__version__])


def _keepers(runner) -> dict:
    """Who has a state of a sequence, by title."""
    metrics = {f'{type(metric).__name__} {i}': metric for i, metric in enumerate(runner.test_loop.evaluator.metrics)}
    hooks = {type(hook).__name__: hook for hook in runner.hooks}
    return {title: keeper for title, keeper in {**metrics, **hooks}.items() if hasattr(keeper, 'sequence_state')}


def _require_states(metrics: list) -> None:
    for metric in metrics:
        if not hasattr(metric, 'sequence_state'):
            raise ValueError(f'{type(metric).__name__} keeps nothing by sequence, so a test with it cannot be gone on '
                             'with: give it sequence_state and restore_sequence, or test without --resume')
