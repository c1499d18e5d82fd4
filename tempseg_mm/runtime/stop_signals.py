"""What a signal that asks a run to end does. Used by all commands.

Training finishes its iteration first (:class:`StopSignals`); everything else stops where it is and closes what is open
(:func:`stopped_by_signals`).
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

# What a scheduler, a terminal that closes, and SLURM before its time limit send. Ctrl-C is an exception already.
REQUESTS = tuple(getattr(signal, name) for name in ('SIGTERM', 'SIGHUP', 'SIGUSR1') if hasattr(signal, name))
STOP_SIGNALS = (signal.SIGINT, *REQUESTS)
PATIENCE = 1.0  # seconds within which a second Ctrl-C is the first one again: torchrun passes on what all got

# Exit code of a run that a signal stopped and that can be resumed: EX_TEMPFAIL of sysexits.h, nothing is wrong, run it
# again. 130 and 143 would say that a signal killed the work.
STOPPED_BY_SIGNAL = 75


class Stopped(KeyboardInterrupt):
    """A signal asked this process to stop; like Ctrl-C no error, and nothing that ``except Exception`` holds up."""


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
        _give_back(self._before)

    def listen(self) -> None:
        """Catch the signals from now on, but those that are ignored, as SIGHUP under ``nohup``.

        Only the main thread can; in another, nothing changes.
        """
        self._before = _catch(STOP_SIGNALS, self._handle)

    def _handle(self, number: int, frame: Any) -> None:
        now = time.monotonic()
        if self.received is None:
            self.received, self._since = signal.Signals(number), now
            # Straight to the descriptor: a handler may interrupt a stream in the middle of a line.
            with suppress(OSError):  # of a terminal that is gone
                os.write(2, f'\n{self.received.name}: after this iteration the run saves and ends\n'.encode())
        elif number == signal.SIGINT and now - self._since > PATIENCE:
            raise KeyboardInterrupt


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Inside, the signals of :data:`REQUESTS` raise :class:`Stopped` in the main thread.

    A signal that is ignored, as SIGHUP under ``nohup``, stays so; outside the main thread nothing changes. Processes
    that are forked inside die of these signals as any other does.
    """
    own = os.getpid()

    def stop(number: int, frame: Any) -> None:
        if os.getpid() != own:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        raise Stopped(f'stopped by {signal.Signals(number).name}')

    before = _catch(REQUESTS, stop)
    try:
        yield
    finally:
        _give_back(before)


def _catch(signals: Iterable[int], handler: Callable[[int, Any], None]) -> dict:
    """Install a handler for those that are not ignored; returns the former ones. Outside the main thread: nothing."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {one: signal.signal(one, handler) for one in signals if signal.getsignal(one) != signal.SIG_IGN}


def _give_back(before: dict) -> None:
    while before:
        signal.signal(*before.popitem())
