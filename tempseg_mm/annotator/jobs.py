"""Runs work that takes longer than a request: one job at a time, in its own thread, observed through events."""

import threading
import time
from collections.abc import Callable

from mmengine.logging import MMLogger

from tempseg_mm.runtime.stop_signals import Stopped

from .events import EventHub

OnProgress = Callable[[str, int, int | None], None]
Tell = Callable[[Exception], str | None]
FAULT = 'this is a fault of the program; the terminal shows the details'


class BusyError(Exception):
    """Raised if another job is running. The message is for the user."""


class Jobs:
    """Runs one job at a time.

    A job ends with the event ``done``, ``stopped`` or ``error``. An error is reported in one sentence and never ends
    the server.

    Args:
        hub: receives the events.
        tell: function that returns the sentence for an error that a user can fix, or ``None`` for a fault of the
            program. Such a fault is logged with its traceback.

    Attributes:
        current: dict with ``kind``, ``stage``, ``done`` and ``total`` (numbers of steps) of the running job; ``None``
            without a job.
    """

    def __init__(self, hub: EventHub, tell: Tell) -> None:
        self.current: dict | None = None
        self._hub, self._tell = hub, tell
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, kind: str, work: Callable[[OnProgress], None]) -> None:
        """Start a job in another thread.

        Args:
            kind: name of the job for the page.
            work: the job. Its argument is a function that it must call often, with its stage, the number of finished
                steps and the number of all steps. After :meth:`stop` that function raises ``Stopped``.

        Raises:
            BusyError: if a job is running.
        """
        with self._lock:
            self._require_idle()
            self._stop.clear()
            self.current = dict(kind=kind, stage=kind, done=0, total=None)
            self._thread = threading.Thread(target=self._work, args=(kind, work), name=f'job {kind}', daemon=True)
            self._hub.publish(dict(type='started', kind=kind))
            self._thread.start()

    def require_idle(self) -> None:
        """Raise BusyError if a job is running."""
        with self._lock:
            self._require_idle()

    def stop(self) -> None:
        """Ask the running job, if there is one, to end as soon as it can."""
        self._stop.set()

    def close(self, patience: float = 30) -> None:
        """Stop the running job and wait for its end, at most ``patience`` seconds."""
        self.stop()
        thread = self._thread
        if thread is not None:
            thread.join(patience)

    def _require_idle(self) -> None:
        if self.current is not None:
            raise BusyError(f'{self.current["kind"]} is running: wait until it ends, or stop it')

    def _work(self, kind: str, work: Callable[[OnProgress], None]) -> None:
        started = time.perf_counter()
        try:
            work(self._on_progress)
            event = dict(type='done', kind=kind, seconds=round(time.perf_counter() - started, 3))
        except Stopped:
            event = dict(type='stopped', kind=kind)
        except Exception as error:
            event = dict(type='error', kind=kind, message=self._sentence(error))
        with self._lock:
            self.current = None
        self._hub.publish(event)

    def _on_progress(self, stage: str, done: int, total: int | None) -> None:
        if self._stop.is_set():
            raise Stopped('stopped on the page')
        told = dict(stage=stage, done=done, total=total)
        self.current = dict(self.current, **told)
        self._hub.publish(dict(type='progress', **told))

    def _sentence(self, error: Exception) -> str:
        sentence = self._tell(error)
        if sentence is None:
            MMLogger.get_current_instance().error('a job of the page failed', exc_info=error)
            sentence = f'{type(error).__name__}: {error}; {FAULT}'
        return sentence
