"""Signals that ask a run to end in good order. Used by ``StopHook`` through ``tempseg_mm.apis.training``."""

import os
import signal
import threading
import time
from contextlib import suppress
from typing import Any

from tempseg_mm.datasets.data_stream import STOP_SIGNALS

PATIENCE = 1.0  # seconds within which a second Ctrl-C is the first one again: torchrun passes on what all got


class StopSignals:
    """Remembers the first SIGTERM, SIGINT (Ctrl-C), SIGHUP or SIGUSR1 instead of dying of it. A context manager, which
    listens from :meth:`listen` to the end of the block.

    A second Ctrl-C, a second later or more, raises ``KeyboardInterrupt``. Other repeated signals change nothing: SLURM
    and torchrun send SIGTERM more than once.

    Attributes:
        received: the first signal, or ``None``.
        stopped: set by whoever ended the run because of it.
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        self.stopped = False
        self._since = 0.0
        self._before: dict = {}

    def __enter__(self) -> 'StopSignals':
        return self

    def __exit__(self, *error: Any) -> None:
        while self._before:
            signal.signal(*self._before.popitem())

    def listen(self) -> None:
        """Catch the signals from now on, but those that are ignored, as SIGHUP under ``nohup``.

        Only the main thread can; in another, nothing changes.
        """
        if threading.current_thread() is threading.main_thread():
            self._before = {one: signal.signal(one, self._handle) for one in STOP_SIGNALS
                            if signal.getsignal(one) != signal.SIG_IGN}

    def _handle(self, number: int, frame: Any) -> None:
        now = time.monotonic()
        if self.received is None:
            self.received, self._since = signal.Signals(number), now
            # Straight to the descriptor: a handler may interrupt a stream in the middle of a line.
            with suppress(OSError):  # of a terminal that is gone
                os.write(2, f'\n{self.received.name}: after this iteration the run saves and ends\n'.encode())
        elif number == signal.SIGINT and now - self._since > PATIENCE:
            raise KeyboardInterrupt
