"""How far a call is, on a terminal as a bar, elsewhere as lines now and then. Used by ``tools/segment_video.py``."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tempseg_mm.runtime.progress import Progress as Lines

OnProgress = Callable[[str, int, int | None], None]
UNITS = {'fine-tuning': 'steps'}  # of the stages that do not count frames
INTERVAL = 10.0  # seconds between lines


@contextmanager
def shown_progress(log: Callable[[str], None], *, is_terminal: bool | None = None) -> Iterator[OnProgress]:
    """What ``VOSInferencer`` may call with stage, steps done and steps in all (``None``: nobody knows).

    Args:
        log: takes lines, where there is no terminal.
        is_terminal: ``None``: whether the standard error stream is one.
    """
    if not (sys.stderr.isatty() if is_terminal is None else is_terminal):
        yield _LineProgress(log)
        return
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(), TextColumn('elapsed'),
               TimeElapsedColumn(), TextColumn('left'), TimeRemainingColumn())
    with Progress(*columns) as bars:
        tasks: dict = {}

        def on_progress(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield on_progress


class _LineProgress:
    """Lines at most every ten seconds, one at least for each stage."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._stage, self._lines, self._last = '', None, 0.0

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        if stage != self._stage:
            self._stage, self._last = stage, time.monotonic()
            self._lines = total and Lines(total, self._log, unit=UNITS.get(stage, 'frames'), interval=INTERVAL)
        text = f'{stage}: {done}/{total}' if total else f'{stage}: {done}'
        if self._lines:
            self._lines.report(text) if done == total else self._lines.step(text)
        elif time.monotonic() - self._last >= INTERVAL:
            self._last = time.monotonic()
            self._log(text)
