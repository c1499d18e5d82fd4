"""Finds unreadable files before the first iteration, and not hours later. It uses ``datasets.readable``."""

import json
import time
from pathlib import Path
from typing import Any

from mmengine.dist import all_gather_object, broadcast_object_list, get_dist_info
from mmengine.hooks import Hook

from tempseg_mm.datasets.readable import BrokenDataError, faults_of, fingerprint, notices_of, parts_of
from tempseg_mm.registry import HOOKS
from tempseg_mm.runtime.atomic import written_beside
from tempseg_mm.runtime.progress import Progress
from tempseg_mm.runtime.worker_pool import default_workers

REMEMBERED = 'checked_data.json'
MOST_REMEMBERED = 16
MOST_TOLD = 20


@HOOKS.register_module()
class CheckDataHook(Hook):
    """Reads every frame, annotation and flow file that a run will need, completely and once::

        before_train:  the training data, and the data of the validation
        before_test:   the test data

    One error names all files that are broken or do not fit together. The log says how masks were interpreted, if that
    is not obvious. Data without faults are remembered in ``<work_dir>/checked_data.json`` by names, sizes and times, so
    the next start compares only these. Several processes share the work.
    ``--cfg-options default_hooks.check_data=None`` switches the check off.

    Args:
        workers: number of threads of each process; ``None``: one per core, at most four.
        limit: time limit in seconds. Data not read by then stay unchecked, with a warning.

    Raises:
        BrokenDataError: from the stages above.
    """

    priority = 'VERY_HIGH'

    def __init__(self, workers: int | None = None, limit: float = 600) -> None:
        self.workers, self.limit = workers or default_workers(), limit

    def before_train(self, runner) -> None:
        for loop in filter(None, (runner.train_loop, runner.val_loop)):
            self._check(runner, loop.dataloader.dataset)

    def before_test(self, runner) -> None:
        self._check(runner, runner.test_loop.dataloader.dataset)

    def _check(self, runner: Any, dataset: Any) -> None:
        parts, path = parts_of(dataset), Path(runner.work_dir, REMEMBERED)
        mark = fingerprint(parts)
        known = [[] if not parts else _remembered(path).get(mark)]
        broadcast_object_list(known)
        if known[0] is not None:
            _tell(known[0], runner.logger)
            return
        rank, world_size = get_dist_info()
        share = parts[rank::world_size]
        results = all_gather_object((*self._read(share, runner.logger), notices_of(dataset)))
        faults = [fault for found, _, _ in results for fault in found]
        num_read = sum(count for _, count, _ in results)
        notices = list(dict.fromkeys(notice for _, _, found in results for notice in found))
        _tell(notices, runner.logger)
        if faults:
            raise BrokenDataError(faults, num_read)
        if num_read < len(parts):
            runner.logger.warning(f'{len(parts) - num_read} of {len(parts)} frames were not checked within the limit '
                                  f'of {self.limit:.0f} s; raise `limit` of CheckDataHook to check all of them')
        elif rank == 0:
            _remember(path, mark, notices)

    def _read(self, parts: list, logger: Any) -> tuple[list, int]:
        """Return the faults, and the number of parts that were read within the limit."""
        progress = Progress(len(parts), logger.info, unit='frames')
        faults, end = [], time.monotonic() + self.limit
        for count, fault in enumerate(faults_of(parts, workers=self.workers), 1):
            faults += [fault] if fault else []
            progress.step(f'checking the data: {count} of {len(parts)} frames')
            if time.monotonic() > end:
                return faults, count
        return faults, len(parts)


def _tell(notices: list, logger: Any) -> None:
    for notice in notices[:MOST_TOLD]:
        logger.info(f'note: {notice}')
    if len(notices) > MOST_TOLD:
        logger.info(f'note: {len(notices) - MOST_TOLD} more notes; tempseg-check-dataset lists all')


def _remembered(path: Path) -> dict:
    """Return mark -> notices for the remembered data without faults."""
    try:
        entries = json.loads(path.read_text(encoding='utf-8'))
        return {entry['mark']: list(entry['notices']) for entry in entries}
    except (OSError, ValueError, RecursionError, TypeError, KeyError):
        return {}  # missing or unreadable, so all data are checked again


def _remember(path: Path, mark: str, notices: list) -> None:
    marks = {**_remembered(path), mark: notices[:MOST_TOLD]}
    entries = [dict(mark=mark, notices=notices) for mark, notices in list(marks.items())[-MOST_REMEMBERED:]]
    with written_beside(path) as beside:
        beside.write_text(json.dumps(entries, indent=1), encoding='utf-8')
