"""Progress of long work and the expected end, as lines of text now and then. Used by hooks and by long loops.

It does not use rich: rich redraws its bars on a terminal, and a log file, the target of these lines, would get only
the last one.
"""

import sys
import time
from collections.abc import Callable
from datetime import timedelta

SHARE_TO_GO_BY = 0.05  # least share of the steps for an estimate: fine-tuning comes first and hides the later pace
LINES, LINES_ON_A_TERMINAL = 15, 100
LONGEST_SILENCE = 1800.0  # seconds between two lines at most, for work that takes days


class Progress:
    """Counts finished steps and writes a line now and then: a handful into a file or pipe, more on a terminal.

    The next line comes when ``interval`` seconds have passed and another share of the work is done: a fifteenth, or a
    hundredth on a terminal. The first line does not wait for that share, and no pause is longer than half an hour.

    Args:
        total: number of steps.
        log: called with a line of text.
        unit: what a step is, in the plural.
        interval: least seconds between two lines.
        lines: about how many lines to write at most; ``None``: 15, or 100 on a terminal.
        steady: True if all steps take about the same time, so that the first ones are enough to estimate the end.
    """

    def __init__(self, total: int, log: Callable[[str], None], *, unit: str, interval: float = 10.0,
                 lines: int | None = None, steady: bool = False) -> None:
        self.total, self.log, self.unit, self.interval, self.steady = total, log, unit, interval, steady
        self.lines = lines or (LINES_ON_A_TERMINAL if sys.stdout.isatty() else LINES)
        self._done = self._told = 0
        self._started = self._last = time.monotonic()

    def step(self, text: str | Callable[[], str]) -> None:
        """Count one finished step. If a line is due, write ``text``, or the text that it returns, to name the step."""
        self._done += 1
        silent = time.monotonic() - self._last
        enough = not self._told or (self._done - self._told) * self.lines >= self.total or silent >= LONGEST_SILENCE
        if silent >= self.interval and enough:
            self.report(text if isinstance(text, str) else text())

    def finish(self, text: str) -> None:
        """Count the last step and write a line in any case."""
        self._done += 1
        self.report(text)

    def report(self, text: str) -> None:
        """Write a line now."""
        self._last, self._told = time.monotonic(), self._done
        if not self._done:
            self.log(text)
            return
        spent = max(self._last - self._started, 1e-9)
        each = spent / self._done
        known = self.steady or self._done >= SHARE_TO_GO_BY * self.total
        eta = timedelta(seconds=round((self.total - self._done) * each)) if known else 'unknown'
        pace = f'{1 / each:.1f} {self.unit}/s' if each <= 1 else f'{each:.3g} s each' if each < 100 else \
            f'{timedelta(seconds=round(each))} each'
        self.log(f'{text}  ({pace}, eta {eta})')
