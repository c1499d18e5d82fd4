"""Worker processes that answer jobs in order while the caller continues. Used by ``tempseg_mm.inference.refine``.

One thread waits for each worker, so the death of a worker raises an error that names its job. The process pool of
concurrent.futures cannot name that job, and waits for ever on some versions of Python. Pebble names the job of a busy
worker, but not of an idle one that was killed, and hangs on an answer that cannot be unpickled. Processes of
multiprocessing import the main module of the program, so a script without a guard would start again in each of them.
This module imports neither torch nor mmengine.
"""

import os
import pickle
import subprocess
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, BinaryIO, NamedTuple

MOST_BY_DEFAULT = 4
LENGTH = 8  # bytes before each message
NICENESS = 10  # of a worker: its parent, for whose next frame it waits, comes first where cores are few
# What a worker runs. Ctrl-C is for its parent, which stops it.
WORKER = ('import pickle, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); '
          'sys.path[:] = pickle.load(sys.stdin.buffer); '
          'from tempseg_mm.runtime.worker_pool import serve; serve()')


class Job(NamedTuple):
    """A call for a worker. Function, arguments and answer must be picklable, and not of classes of the main module."""
    name: str  # name of the job in errors
    function: Callable
    arguments: tuple


def default_workers(*, busy: int = 0) -> int:
    """Return one worker per core that this process may use, at least one and at most four.

    Args:
        busy: cores that are left out, because the caller keeps them busy.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
    return max(1, min(cores - busy, MOST_BY_DEFAULT))


class WorkerPool:
    """Worker processes that start with the first job, and start again with the first job after :meth:`close`.

    They are new processes of Python, which is safe beside the threads of torch. They import what their jobs need.

    Args:
        workers: number of processes; 0: jobs run at once in this process; ``None``: :func:`default_workers`.

    Raises:
        ValueError: for a negative number.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = default_workers() if workers is None else workers
        if self.workers < 0:
            raise ValueError(f'workers must be at least 0, got {workers}')
        self._threads: ThreadPoolExecutor | None = None
        self._own = threading.local()
        self._started: list[_Worker] = []

    def __enter__(self) -> 'WorkerPool':
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def in_order(self, items: Iterable, job: Callable[[Any], Job | None], *, ahead: int | None = None
                 ) -> Iterator[tuple[Any, Any]]:
        """Yield each item with the answer of its job, in the order of the items.

        An error of a job, of ``items`` or of the reader closes the pool.

        Args:
            items: the items. They are read as answers are taken, at most ``ahead`` items in advance.
            job: function from an item to its job, or to ``None`` if it has none; then the answer is ``None`` too.
            ahead: default: two items per worker.

        Raises:
            RuntimeError: if a job raises an error or its worker dies; the message names the job.
        """
        ahead = 2 * self.workers if ahead is None else ahead
        waiting: deque = deque()
        try:
            for item in items:
                wanted = job(item)
                waiting.append((item, wanted and self._submit(wanted)))
                if len(waiting) > ahead:
                    yield _answered(*waiting.popleft())
            while waiting:
                yield _answered(*waiting.popleft())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop the workers at once. Jobs without an answer are lost."""
        if self._threads is not None:
            threads, self._threads = self._threads, None
            threads.shutdown(wait=False, cancel_futures=True)
            for worker in list(self._started):  # so that their threads stop waiting
                worker.kill()
            threads.shutdown()
            while self._started:  # including a worker that was being started meanwhile
                self._started.pop().close()

    def _submit(self, job: Job) -> Future:
        if self.workers == 0:
            answer: Future = Future()
            answer.set_result(_named(job, lambda: _call(job.function, job.arguments)))
            return answer
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix='worker_pool')
        return self._threads.submit(_named, job, lambda: self._worker().call(job))

    def _worker(self) -> '_Worker':
        """Return the worker of this thread; start it if there is none."""
        if not hasattr(self._own, 'worker'):
            self._own.worker = _Worker()
            self._started.append(self._own.worker)
        return self._own.worker


class _Worker:
    """One process, with pipes to its standard input and from its standard output."""

    def __init__(self) -> None:
        self._process = subprocess.Popen([sys.executable, '-c', WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with suppress(OSError):  # the first job says if it has died
            pickle.dump(sys.path, self._process.stdin)

    def call(self, job: Job) -> tuple[bool, Any]:
        message = pickle.dumps((job.function, job.arguments))
        try:
            _send(self._process.stdin, message)
            answer = _received(self._process.stdout)
        except (EOFError, OSError):
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
            return False, (f'its worker process died with exit code {self._process.returncode} (-9 means killed, for '
                           'example by the system when memory runs out; otherwise see its last output above)')
        return pickle.loads(answer)

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # of a message that nobody will read
                pipe.close()


def serve() -> None:
    """Answer jobs until the standard input closes, because the pool closed it or its process ended."""
    if hasattr(os, 'nice'):  # not on Windows
        os.nice(NICENESS)
    jobs, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), 'wb')
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a job prints must not get among the answers
    with suppress(EOFError, OSError):
        while True:
            _send(answers, _answer_to(_received(jobs)))


def _send(pipe: BinaryIO, message: bytes) -> None:
    pipe.write(len(message).to_bytes(LENGTH))
    pipe.write(message)
    pipe.flush()


def _received(pipe: BinaryIO) -> bytes:
    length = int.from_bytes(_exactly(pipe, LENGTH))
    return _exactly(pipe, length)


def _exactly(pipe: BinaryIO, count: int) -> bytes:
    found = pipe.read(count)
    if len(found) < count:
        raise EOFError('the other process has ended')
    return found


def _answer_to(message: bytes) -> bytes:
    try:
        function, arguments = pickle.loads(message)
        return pickle.dumps(_call(function, arguments))
    except Exception:
        return pickle.dumps((False, traceback.format_exc()))


def _call(function: Callable, arguments: tuple) -> tuple[bool, Any]:
    try:
        return True, function(*arguments)
    except Exception:
        return False, traceback.format_exc()


def _named(job: Job, call: Callable[[], tuple[bool, Any]]) -> Any:
    done, answer = call()
    if not done:
        raise RuntimeError(f'{job.name}: {answer}')
    return answer


def _answered(item: Any, future: Future | None) -> tuple[Any, Any]:
    return item, None if future is None else future.result()
