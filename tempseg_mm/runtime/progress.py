"""How far long work is and when it will be done, said now and then. Used by hooks and by whatever loops for long.

Not rich: its bars are redrawn on a terminal, and a log file, which these lines are for, gets but the last one.
"""

import sys
import time
from collections.abc import Callable
from datetime import timedelta

SHARE_TO_GO_BY = 0.05  # of the steps: before it, what comes first (fine-tuning) hides the pace of the rest
LINES, LINES_ON_A_TERMINAL = 15, 100
LONGEST_SILENCE = 1800.0  # seconds; of work that takes days


class Progress:
    """Counts finished steps, with a line now and then: a handful in a file or pipe, more on a terminal.

    A line comes ``interval`` seconds after the last one, but no sooner than another share of the work is done: the
    fifteenth part, or on a terminal the hundredth. The first one does not wait for that, and silence is never longer
    than half an hour.

    Args:
        total: steps in all.
        log: takes a line of text.
        unit: what a step is, in the plural.
        interval: seconds between lines.
        lines: how many there shall be at most, about; ``None``: see above.
        steady: whether all steps cost alike, so that the first ones tell when the last one will be done.
    """

    def __init__(self, total: int, log: Callable[[str], None], *, unit: str, interval: float = 10.0,
                 lines: int | None = None, steady: bool = False) -> None:
        self.total, self.log, self.unit, self.interval, self.steady = total, log, unit, interval, steady
        self.lines = lines or (LINES_ON_A_TERMINAL if sys.stdout.isatty() else LINES)
        self._done = self._told = 0
        self._started = self._last = time.monotonic()

    def step(self, text: str | Callable[[], str]) -> None:
        """One step more is done; ``text``, or what it returns, says which, if it is time for a line."""
        self._done += 1
        silent = time.monotonic() - self._last
        enough = not self._told or (self._done - self._told) * self.lines >= self.total or silent >= LONGEST_SILENCE
        if silent >= self.interval and enough:
            self.report(text if isinstance(text, str) else text())

    def finish(self, text: str) -> None:
        """The last step is done: a line in any case."""
        self._done += 1
        self.report(text)

    def report(self, text: str) -> None:
        """A line now."""
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
