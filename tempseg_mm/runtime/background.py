"""Threads beside the network: one reads frames ahead of it, others write files behind it, all through bounded queues.

Used by the tests of a data set and by ``VOSInferencer``. Decoding, optical flow, and PNG and video encoding release
Python's lock, so they run while the network does.
"""

import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

POLL = 0.1  # seconds after which a waiting thread checks again whether it should stop


class StageClock:
    """Sums the seconds that each stage takes. Only one thread may time a stage.

    Attributes:
        seconds: stage -> seconds so far.
    """

    def __init__(self) -> None:
        self.seconds: dict = defaultdict(float)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time the block and add the seconds to ``stage``."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - started

    def timed(self, items: Iterable, stage: str) -> Iterator:
        """Yield the items and add the time that each takes to arrive to ``stage``."""
        iterator = iter(items)
        while True:
            with self(stage):
                try:
                    item = next(iterator)
                except StopIteration:
                    return
            yield item


def read_ahead(items: Iterable, depth: int = 3) -> Iterator:
    """Yield the items in order while another thread makes up to ``depth`` of them in advance.

    An error of ``items`` is raised at the place of the failed item. When the reader closes the generator early, the
    thread ends, and ``items`` is closed if it has a ``close`` method.
    """
    ready: queue.Queue = queue.Queue(depth)
    stopped = threading.Event()

    def put(entry: tuple) -> bool:
        while not stopped.is_set():
            try:
                ready.put(entry, timeout=POLL)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        error = None
        try:
            for item in items:
                if not put((item, None)):
                    break
        except BaseException as caught:  # raised again in the reader's thread
            error = caught
        finally:
            if hasattr(items, 'close'):
                items.close()
        put((None, error or StopIteration()))

    thread = threading.Thread(target=work, name='read_ahead', daemon=True)
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item
    finally:
        stopped.set()
        thread.join()


class BackgroundWriter:
    """Calls a function in another thread, in order. As a context manager it finishes all calls before the block ends.

    Args:
        write: the function.
        depth: number of calls that may wait before :meth:`put` blocks.

    Raises:
        Exception: the error of ``write``, from the next :meth:`put` or :meth:`flush` or at the end of the block. Calls
            after the failed one are dropped.
    """

    def __init__(self, write: Callable, *, depth: int = 4) -> None:
        self._write = write
        self._queue: queue.Queue = queue.Queue(depth)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name='background_writer', daemon=True)
        self._thread.start()

    def put(self, *arguments: Any) -> None:
        """Queue a call with these arguments; wait while the queue is full."""
        self._raise()
        self._queue.put(arguments)

    def flush(self) -> None:
        """Wait until all calls are done."""
        self._queue.join()
        self._raise()

    def close(self) -> None:
        """Finish the queued calls and end the thread."""
        self.__exit__(None)

    def __enter__(self) -> 'BackgroundWriter':
        return self

    def __exit__(self, kind: type | None, *error: object) -> None:
        self._queue.put(None)
        self._thread.join()
        if kind is None:
            self._raise()

    def _work(self) -> None:
        while (arguments := self._queue.get()) is not None:
            try:
                if self._error is None:
                    self._write(*arguments)
            except BaseException as error:  # raised again in the thread that puts
                self._error = error
            finally:
                self._queue.task_done()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error
