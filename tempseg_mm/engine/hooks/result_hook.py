"""Writes the results of a test: masks frame by frame, a record per finished sequence, the score table at the end."""

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
    """Writes results to the folder of the test.

    The files are ``masks/<sequence>/<frame>.png`` (indexed, original size and names), ``scores.json``, ``scores.csv``,
    and ``sequences/<sequence>.json``, the record of a sequence, which is written last.

    A record holds the results of every metric and of every hook with a method ``sequence_state(name)``. A later run
    restores them with ``restore_sequence(name, state)`` and skips the frames. The results of a sequence do not depend
    on the sequences before it, so the table is bit for bit the same as that of an uninterrupted run.

    Args:
        resume: skip sequences that an earlier run finished with the same weights, data and settings. If False, the
            records of an earlier run are removed.

    Raises:
        ValueError: from ``before_test``, if the earlier run had other weights, data or settings, if files of a finished
            sequence have changed, or if a metric stores nothing by sequence.
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
        barrier()  # no process writes before the old records are removed

    def recall_sequence(self, runner, sequence) -> bool:
        """Restore a finished sequence; see ``VOSTestLoop``. It is tested again if a mask or a state is missing."""
        found = self._records.read(sequence.name) if self.resume else None
        if found is None:
            return False
        keepers = runner.test_loop.keepers
        whole = found['frames'] == len(sequence) and keepers.keys() <= found['states'].keys()
        if not whole or not self._has_masks(sequence):
            runner.logger.info(f'{sequence.name} is tested again, because its record or its masks are incomplete')
            return False
        for title, keeper in keepers.items():
            keeper.restore_sequence(sequence.name, found['states'][title])
        return True

    def after_frame(self, runner, frame) -> None:
        write_indexed_png(mask_file(self.out_dir, frame.sequence, frame.file_name), frame.labels)

    def keep_sequence(self, runner, sequence) -> None:
        """Write the record of a sequence; see ``VOSTestLoop``."""
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
                raise ResumeError(f'the data of {sequence.name} are not those that an earlier run tested: {what}. The '
                                 'run cannot be resumed. Test without --resume, which starts again, or into another '
                                 f'folder. Or delete {sequence.name}.json in {self._records.folder}, so that only '
                                 'this sequence is tested again')

    def _has_masks(self, sequence) -> bool:
        """Return True if every frame of a sequence has its mask on disk."""
        return all(mask_file(self.out_dir, sequence.name, sequence.file_name(i)).exists() for i in range(len(sequence)))


def mask_file(out_dir: str, sequence: str, file_name: str) -> Path:
    """Return the path of the mask of a frame in the folder of a test."""
    return inside(out_dir, 'masks', sequence, f'{file_name}.png')


def depends_on(runner) -> dict:
    """Return all that determines masks and scores of a test, by name: plain settings, and weights as a state dict."""
    cfg = runner.cfg.to_dict()
    dataset = dict(cfg['test_dataloader']['dataset'])
    dataset.pop('sequences', None)  # the results of each do not depend on the others
    test_cfg = {name: value for name, value in (cfg.get('test_cfg') or {}).items() if name != 'out_dir'}
    return dict(
        weights=runner.test_loop.model.state_dict(), model=cfg.get('model'), dataset=dataset,
        test_cfg=test_cfg, test_evaluator=cfg.get('test_evaluator'), hooks=method_hooks(cfg),
        randomness=cfg.get('randomness'), version=[sys.modules[SCOPE].__version__, torch.__version__])


def _digests(sequence) -> dict:
    """Return path -> digest for every file of a sequence."""
    return {path: file_digest(path) for i in range(len(sequence)) for path in sequence.files(i)}


def _require_states(metrics: list) -> None:
    for metric in metrics:
        if not hasattr(metric, 'sequence_state'):
            raise ValueError(f'{type(metric).__name__} stores nothing by sequence, so a test with it cannot be '
                             'resumed. Give it the methods sequence_state and restore_sequence, or test without '
                             '--resume')
