"""Writes what a test found: masks frame by frame, a record of each finished sequence, the score table at the end."""

import os.path as osp
import sys
from pathlib import Path

import torch
from mmengine.dist import barrier, is_main_process, master_only
from mmengine.hooks import Hook

from tempseg_mm.engine.stages import method_hooks
from tempseg_mm.registry import HOOKS, SCOPE
from tempseg_mm.runtime.content_digest import changed_files, file_digest
from tempseg_mm.runtime.differences import ResumeError
from tempseg_mm.runtime.records import Records, fingerprints
from tempseg_mm.runtime.safe_path import inside
from tempseg_mm.visualization.exporters import write_indexed_png


@HOOKS.register_module()
class ResultHook(Hook):
    """In the folder of the test: ``masks/<sequence>/<frame>.png`` (indexed, original size and names), ``scores.json``,
    ``scores.csv``, and ``sequences/<sequence>.json``, written when all else of the sequence is.

    A record holds what every metric and every hook with a method ``sequence_state(name)`` has found on the sequence;
    ``restore_sequence(name, state)`` of a later run takes it in place of the sequence's frames. What a sequence gives
    does not depend on those before it, so the table is the same to the bit as that of a run without a stop.

    Args:
        resume: skip sequences that an earlier run finished with the same weights, data and settings; else the records
            of an earlier run are removed.

    Raises:
        ValueError: from ``before_test``, if what an earlier run found was found with anything else, or a metric keeps
            nothing by sequence; or if files of a finished sequence hold something else now.
    """

    def __init__(self, resume: bool = False) -> None:
        self.resume = resume

    def before_test(self, runner) -> None:
        self.out_dir = runner.test_loop.out_dir
        folder = osp.join(self.out_dir, 'sequences')
        self._records = Records(folder, fingerprints(depends_on(runner)))
        if self.resume:
            _require_states(runner.test_loop.evaluator.metrics)
            finished = self._records.check()
            self._require_same_files(runner.test_loop.dataloader.dataset)
            runner.logger.info(f'resuming after {finished} finished sequences in {folder}')
        elif is_main_process():
            self._records.clear()
        barrier()  # no process writes before the old ones are gone

    def recall_sequence(self, runner, sequence) -> bool:
        """See ``VOSTestLoop``. A sequence is not recalled if a mask is gone or someone would have no state of it."""
        found = self._records.read(sequence.name) if self.resume else None
        if found is None:
            return False
        keepers = runner.test_loop.keepers
        whole = found['frames'] == len(sequence) and keepers.keys() <= found['states'].keys()
        if not whole or not self._has_masks(sequence):
            runner.logger.info(f'{sequence.name} is done again: not all that is wanted now was kept of it')
            return False
        for title, keeper in keepers.items():
            keeper.restore_sequence(sequence.name, found['states'][title])
        return True

    def after_frame(self, runner, frame) -> None:
        write_indexed_png(mask_file(self.out_dir, frame.sequence, frame.file_name), frame.labels)

    def keep_sequence(self, runner, sequence) -> None:
        """See ``VOSTestLoop``."""
        states = {title: keeper.sequence_state(sequence.name) for title, keeper in runner.test_loop.keepers.items()}
        self._records.write(sequence.name, dict(frames=len(sequence), states=states,
                                               files=_digests(sequence)))

    @master_only
    def after_test_epoch(self, runner, metrics: dict | None = None) -> None:
        scores = runner.test_loop.evaluator.metrics[0].scores
        scores.protocol['given_frames'] = runner.test_loop.num_given_frames
        written = dict(masks=osp.join(self.out_dir, 'masks'), scores=osp.join(self.out_dir, 'scores.json'),
                       table=osp.join(self.out_dir, 'scores.csv'))
        scores.to_json(written['scores'])
        scores.to_csv(written['table'])
        runner.logger.info(scores.to_text())
        runner.test_loop.written.update(written)

    def _require_same_files(self, dataset) -> None:
        for sequence in (dataset[i]['sequence'] for i in range(len(dataset))):
            found = self._records.read(sequence.name)
            if found is not None and found['files'] != (now := _digests(sequence)):
                what = changed_files(found['files'], now) or 'files were added'
                raise ResumeError(f'the data of {sequence.name} are not those that an earlier run tested: {what}. It '
                                 'cannot be resumed: test without --resume, which starts afresh, or into another '
                                 f'folder; or delete {sequence.name}.json in {self._records.folder}, and this sequence '
                                 'alone is done again')

    def _has_masks(self, sequence) -> bool:
        """Whether every frame of a sequence has its mask on disk."""
        return all(mask_file(self.out_dir, sequence.name, sequence.file_name(i)).exists() for i in range(len(sequence)))


def mask_file(out_dir: str, sequence: str, file_name: str) -> Path:
    """Where the mask of a frame lies in the folder of a test."""
    return inside(out_dir, 'masks', sequence, f'{file_name}.png')


def depends_on(runner) -> dict:
    """What the masks and scores of a test depend on, by name: settings as plain values, weights as a state dict."""
    cfg = runner.cfg.to_dict()
    dataset = dict(cfg['test_dataloader']['dataset'])
    dataset.pop('sequences', None)  # each gives what it gives, whichever others there are
    test_cfg = {name: value for name, value in (cfg.get('test_cfg') or {}).items() if name != 'out_dir'}
    return dict(
        weights=runner.test_loop.model.state_dict(), model=cfg.get('model'), dataset=dataset,
        test_cfg=test_cfg, test_evaluator=cfg.get('test_evaluator'), hooks=method_hooks(cfg),
        randomness=cfg.get('randomness'), version=[sys.modules[SCOPE].__version__, torch.__version__])


def _digests(sequence) -> dict:
    """Path -> digest of every file of a sequence."""
    return {path: file_digest(path) for i in range(len(sequence)) for path in sequence.files(i)}


def _require_states(metrics: list) -> None:
    for metric in metrics:
        if not hasattr(metric, 'sequence_state'):
            raise ValueError(f'{type(metric).__name__} keeps nothing by sequence, so a test with it cannot be resumed: '
                             'give it sequence_state and restore_sequence, or test without --resume')
