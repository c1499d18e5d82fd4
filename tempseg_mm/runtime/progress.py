"""How far long work is and when it will be done, said now and then. Used by the hooks of a test.

Not rich: its bars are redrawn on a terminal, and a log file, which these lines are for, gets but the last one.
"""

import time
from collections.abc import Callable
from datetime import timedelta

SHARE_TO_GO_BY = 0.05  # of the steps: before it, what comes first (fine-tuning) hides the pace of the rest


class Progress:
    """Counts finished steps; a line at most every ``interval`` seconds.

    Args:
        total: steps in all.
        log: takes a line of text.
        unit: what a step is, in the plural.
        interval: seconds between lines.
    """

    def __init__(self, total: int, log: Callable[[str], None], *, unit: str, interval: float = 10.0) -> None:
        self.total, self.log, self.unit, self.interval = total, log, unit, interval
        self._done = 0
        self._started = self._last = time.monotonic()

    def step(self, text: str) -> None:
        """One step more is done; ``text`` says which, if it is time for a line."""
        self._done += 1
        if time.monotonic() - self._last >= self.interval:
            self.report(text)

    def report(self, text: str) -> None:
        """A line now."""
        self._last = time.monotonic()
        spent = max(self._last - self._started, 1e-9)
        rate = self._done / spent
        known = self._done >= SHARE_TO_GO_BY * self.total
        eta = timedelta(seconds=round((self.total - self._done) / rate)) if known else 'unknown'
        pace = f'{rate:.1f} {self.unit}/s' if rate >= 0.1 else f'{60 * rate:.2g} {self.unit}/min'
        self.log(f'{text}  ({pace}, eta {eta})')
