"""A request to stop as an exception, so that what is open is closed. Used by the tests and the tables of the paper."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# What a scheduler, a terminal that closes, and SLURM before its time limit send. Ctrl-C is an exception already.
REQUESTS = tuple(getattr(signal, name) for name in ('SIGTERM', 'SIGHUP', 'SIGUSR1') if hasattr(signal, name))


class Stopped(KeyboardInterrupt):
    """A signal asked this process to stop; like Ctrl-C no error, and nothing that ``except Exception`` holds up."""


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Inside, the signals of :data:`REQUESTS` raise :class:`Stopped` in the main thread.

    A signal that is ignored, as SIGHUP under ``nohup``, stays so; outside the main thread nothing changes. Processes
    that are forked inside die of these signals as any other does.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    own = os.getpid()

    def stop(number: int, frame) -> None:
        if os.getpid() != own:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        raise Stopped(f'stopped by {signal.Signals(number).name}')

    before = {number: signal.getsignal(number) for number in REQUESTS}
    before = {number: handler for number, handler in before.items() if handler != signal.SIG_IGN}
    try:
        for number in before:
            signal.signal(number, stop)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
