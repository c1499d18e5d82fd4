"""Shows a running call to the user: a bar or lines of progress, and a window with the overlay."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import cv2
import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tempseg_mm.ops.resize import fit_shorter_side
from tempseg_mm.runtime.progress import Progress as Lines
from tempseg_mm.visualization.overlay import overlay_mask

OnProgress = Callable[[str, int, int | None], None]
UNITS = {'fine-tuning': 'steps'}  # units of the stages that do not count frames
INTERVAL = 10.0  # seconds between lines


def silent(stage: str, done: int, total: int | None) -> None:
    """Show no progress; an ``OnProgress`` that does nothing."""


@contextmanager
def shown_progress(log: Callable[[str], None], *, is_terminal: bool | None = None) -> Iterator[OnProgress]:
    """Yield an ``OnProgress`` that shows a bar for each stage, or writes lines if there is no terminal.

    Args:
        log: called with lines, if there is no terminal.
        is_terminal: ``None``: decided by whether the standard error stream is a terminal.
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
    """Writes lines, at most one every ten seconds and at least one per stage."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._stage, self._lines, self._last = '', None, 0.0

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        if stage != self._stage:
            self._stage, self._last = stage, time.monotonic()
            self._lines = total and Lines(total, self._log, unit=UNITS.get(stage, 'frames'), interval=INTERVAL)
        text = f'{stage}: {done}/{total}' if total else f'{stage}: {done}'
        if self._lines:
            self._lines.total = total
            self._lines.finish(text) if done == total else self._lines.step(text)
        elif time.monotonic() - self._last >= INTERVAL:
            self._last = time.monotonic()
            self._log(text)


MAX_SIDE = 480  # shorter side of the shown frame, in pixels


class Window:
    """Context manager for a window; pressing q in it stops the work as Ctrl-C does.

    Raises:
        OSError: if there is no display, or OpenCV was built without windows.
    """

    def __init__(self, title: str) -> None:
        # Checked first, because OpenCV ends the process if there is no display.
        if sys.platform.startswith('linux') and not (os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')):
            raise OSError('there is no display for --show (DISPLAY is not set): leave --show out, and look at the '
                          'overlay afterwards')
        self.title = title
        try:
            cv2.namedWindow(title, cv2.WINDOW_NORMAL)
        except cv2.error as error:
            raise OSError('this OpenCV was built without windows (opencv-python-headless?): leave --show out, or '
                          'install opencv-python instead') from error

    def show(self, image: np.ndarray, labels: np.ndarray) -> None:
        """Show a frame.

        Raises:
            KeyboardInterrupt: if q was pressed.
        """
        small = overlay_mask(fit_shorter_side(image, MAX_SIDE), fit_shorter_side(labels, MAX_SIDE, labels=True))
        cv2.imshow(self.title, cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
        if cv2.waitKey(1) & 0xFF == ord('q'):
            raise KeyboardInterrupt

    def __enter__(self) -> 'Window':
        return self

    def __exit__(self, *error: object) -> None:
        cv2.destroyWindow(self.title)
