"""Writes a page of the whole test: scores by sequence, worst frames first."""

import os
import os.path as osp
import time
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

from mmengine.dist import collect_results, get_world_size
from mmengine.hooks import Hook

from tempseg_mm.engine.stages import method_hooks
from tempseg_mm.evaluation.functional.region import mean_similarity
from tempseg_mm.registry import HOOKS
from tempseg_mm.runtime.versions import versions
from tempseg_mm.visualization.report.dataset_report import DatasetReport, SequenceRow, write_dataset_report
from tempseg_mm.visualization.report.page import picture_uri
from tempseg_mm.visualization.report.thumbnails import ThumbnailKeeper

SHOWN = ('model', 'test_cfg', 'test_dataloader', 'randomness')  # shown parts of the config, beside the method's hooks


@HOOKS.register_module()
class ReportHook(Hook):
    """Writes ``report.html`` in the folder of the test: a sortable table, and each sequence's frames with the lowest J.

    The hook stores a few small pictures per sequence, whatever its length. If several processes test, each stores its
    own sequences; the main process gathers all of them and writes the page.

    Args:
        num_frames: number of worst frames to show per sequence.
    """

    priority = 'VERY_LOW'

    def __init__(self, num_frames: int = 4) -> None:
        self.num_frames = num_frames

    def before_test(self, runner) -> None:
        self.out_dir = runner.test_loop.out_dir
        self._rows: list[SequenceRow] = []

    def before_test_epoch(self, runner) -> None:
        self._started = time.monotonic()

    def before_sequence(self, runner, sequence, size) -> None:
        self._worst = ThumbnailKeeper(self.num_frames, spacing=3 * self.num_frames)
        self._scores: dict[int, float] = {}
        self._told: list[str] = []

    def after_finetuning(self, runner, sequence, adapted: dict) -> None:
        """Store the gain of fine-tuning for the page."""
        self._told = [f'{f"Object {object_id}: " if len(adapted) > 1 else ""}{found.summary}'
                      for object_id, found in adapted.items() if found.fit]

    def after_frame(self, runner, frame) -> None:
        if frame.given or not runner.test_loop.evaluator.metrics[0].counts(frame):
            return  # such frames must not appear among the worst scored frames
        score = self._scores[frame.frame_id] = mean_similarity(frame.labels, frame.gt_labels, frame.gt_void)
        self._worst.add(frame.frame_id, frame.image, frame.labels, 1 - score, gt_mask=frame.gt_labels)

    def after_sequence(self, runner, sequence, size) -> None:
        worst = sorted(self._worst.thumbnails, key=lambda kept: self._scores[kept[0]])
        self._rows.append(SequenceRow(
            sequence.name, len(sequence), time.monotonic() - self._started,
            thumbnails=[(i, self._scores[i], picture_uri(picture)) for i, picture in worst],
            told=self._told, links=self._links(runner, sequence.name)))
        self._started = time.monotonic()  # time of the next sequence: its fine-tuning comes before this hook

    def after_recall(self, runner, sequence) -> None:
        self._started = time.monotonic()

    def sequence_state(self, name: str) -> dict:
        """Return the row of a sequence, see ``ResultHook``."""
        return asdict(next(row for row in self._rows if row.name == name))

    def restore_sequence(self, name: str, state: dict) -> None:
        """Restore the row from another run."""
        self._rows.append(SequenceRow(**state))

    def after_test_epoch(self, runner, metrics: dict | None = None) -> None:
        gathered = collect_results([self._rows], get_world_size(), device='gpu')  # through the process group
        if gathered is None:
            return  # not the main process
        rows = {row.name: row for own in reversed(gathered) for row in own}  # a sampler may add a sequence twice
        table = runner.test_loop.evaluator.metrics[0].scores
        means = table.scalars()
        report = DatasetReport(
            title=f'Test of {self._experiment(runner)}',
            rows=[rows[name] for name in sorted(rows)],
            columns=[column for column in means if column not in ('T_all', *table.group_means)],  # not per sequence
            scores={name: table.scalars(name) for name in table.sequences},
            objects={name: {i: table.scalars(name, i) for i in table.objects(name)} for name in table.sequences},
            means=means,
            curves=table.sequences,
            settings=self._settings(runner, table.protocol),
            versions=versions(),
            notices=table.notices if means else ['No annotated frame was scored, so there are no scores.'])
        path = osp.join(self.out_dir, 'report.html')
        write_dataset_report(path, report)
        runner.test_loop.written['page'] = path

    def _links(self, runner, name: str) -> dict[str, str]:
        """Return links to the pictures that other hooks have drawn of a sequence."""
        drawn = runner.test_loop.pictures.get(name, {})
        return {title: _address(Path(path).resolve(), Path(self.out_dir).resolve()) for title, path in drawn.items()}

    @staticmethod
    def _experiment(runner) -> str:
        return runner.experiment_name.rsplit('_', 2)[0]

    @staticmethod
    def _settings(runner, protocol: dict) -> dict:
        config = {key: runner.cfg[key] for key in SHOWN if key in runner.cfg}
        weights = runner.cfg.get('load_from') or 'none: the weights of the initialisation'
        return dict(config=runner.cfg.filename, weights=weights, work_dir=osp.abspath(runner.work_dir),
                    seed=runner.seed, protocol=protocol, hooks=method_hooks(runner.cfg), **config)


def _address(place: Path, folder: Path) -> str:
    """Return the address of a file for a page in ``folder``."""
    try:
        return quote(Path(os.path.relpath(place, folder)).as_posix())
    except ValueError:  # Windows: on another drive
        return place.as_uri()
