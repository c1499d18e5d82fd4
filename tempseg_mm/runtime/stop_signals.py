"""Reaction to signals that ask a run to end. Used by all commands.

Training finishes its iteration first (:class:`StopSignals`). All other work stops at once and closes its files
(:func:`stopped_by_signals`).
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

# Signals of a scheduler, a terminal that closes, and SLURM before its time limit. Ctrl-C already raises an exception.
REQUESTS = tuple(getattr(signal, name) for name in ('SIGTERM', 'SIGHUP', 'SIGUSR1') if hasattr(signal, name))
STOP_SIGNALS = (signal.SIGINT, *REQUESTS)
PATIENCE = 1.0  # seconds within which a second Ctrl-C counts as the first, because torchrun forwards it once more

# Exit code of a run that was stopped by a signal and can be resumed. It is EX_TEMPFAIL of sysexits.h: nothing is wrong,
# run it again. The codes 130 and 143 would mean that a signal killed the run.
STOPPED_BY_SIGNAL = 75


class Stopped(KeyboardInterrupt):
    """Raised when a signal asks this process to stop. Like Ctrl-C, ``except Exception`` does not catch it."""


class StopSignals:
    """Remembers the first SIGTERM, SIGINT (Ctrl-C), SIGHUP or SIGUSR1 instead of ending the process.

    A context manager that listens from the call of :meth:`listen` to the end of the block. A second Ctrl-C, at least a
    second after the first signal, raises ``KeyboardInterrupt``. Other repeated signals have no effect, because SLURM
    and torchrun send SIGTERM more than once.

    Attributes:
        received: the first signal, or ``None``.
        stopped: set to True by the code that ends the run because of the signal.
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
        """Catch the signals from now on, except ignored ones (such as SIGHUP under ``nohup``).

        Only the main thread can catch signals; in another thread this method does nothing.
        """
        self._before = _catch(STOP_SIGNALS, self._handle)

    def _handle(self, number: int, frame: Any) -> None:
        now = time.monotonic()
        if self.received is None:
            self.received, self._since = signal.Signals(number), now
            # Written to the descriptor itself, since the handler may have interrupted a stream in mid-line.
            with suppress(OSError):  # the terminal may be closed
                os.write(2, f'\n{self.received.name}: the run finishes this iteration, saves and ends\n'.encode())
        elif number == signal.SIGINT and now - self._since > PATIENCE:
            raise KeyboardInterrupt


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Raise :class:`Stopped` in the main thread when a signal of :data:`REQUESTS` arrives inside the block.

    A signal that is ignored (such as SIGHUP under ``nohup``) stays ignored. Outside the main thread nothing changes. A
    process that was forked inside the block dies of these signals as usual.
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
    """Install a handler for the signals not ignored and return the former ones. Do nothing outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {one: signal.signal(one, handler) for one in signals if signal.getsignal(one) != signal.SIG_IGN}


def _give_back(before: dict) -> None:
    while before:
        signal.signal(*before.popitem())
