"""Tools for a run of several processes: wait for each other, end all when one is dead, and use the unwrapped model.

Used by the loops and ``HeartbeatHook``. Processes communicate through the store of torch's process group.
"""

import itertools
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mmengine.dist import get_dist_info
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from torch import nn
from torch.distributed import Store, distributed_c10d

_MEETINGS = itertools.count()  # the same in every process, since all of them come to every meeting


def run_store() -> Store:
    """Return the key-value store of the run, which all processes can reach. A process group must exist."""
    store = distributed_c10d._get_default_store()
    return store.clone() if hasattr(store, 'clone') else store  # a separate connection, if this torch can open one


def wait_for_all(poll: float = 0.2) -> None:
    """Wait until every process of the run has called this function, however long that takes.

    A single process returns at once. A collective would fail after the time-out of the process group, and a process
    that fine-tunes on long sequences may arrive later than that. Whether the other processes are alive is checked by
    :class:`Heartbeat`, not here.

    Args:
        poll: seconds between two checks.

    Raises:
        RuntimeError: if the process that keeps the store has ended.
    """
    rank, world_size = get_dist_info()
    if world_size == 1:
        return
    store, key = run_store(), f'tempseg_mm/meeting/{next(_MEETINGS)}'
    try:
        _wait_for(store, f'{key}/came', world_size, poll)
        if rank == 0:  # it may keep the store, which the others still need until they have seen that all came
            _wait_for(store, f'{key}/saw', world_size, poll)
        else:
            store.add(f'{key}/saw', 1)
    except RuntimeError as error:
        raise RuntimeError(f'process {rank} waited for the others, but the process that keeps the store of the run '
                           '(rank 0 or torchrun) has ended. See the last lines of its output.') from error


def _wait_for(store: Store, key: str, count: int, poll: float) -> None:
    store.add(key, 1)
    while store.add(key, 0) < count:
        time.sleep(poll)


@contextmanager
def without_wrappers(model: nn.Module) -> Iterator[nn.Module]:
    """Replace wrapped sub-modules by the bare ones for the block: their backward pass then waits for no other process.

    Args:
        model: model whose children may be wrapped for distributed training. It is changed in place and restored at the
            end of the block.
    """
    wrapped = {name: child for name, child in model.named_children() if is_model_wrapper(child)}
    for name, child in wrapped.items():
        setattr(model, name, child.module)
    try:
        yield model
    finally:
        for name, child in wrapped.items():
            setattr(model, name, child)


class Heartbeat:
    """Thread that shows the other processes that this one lives, and watches whether they do.

    A slow process still beats; a dead one does not. A time-out of collectives cannot tell the two apart: it would have
    to be longer than the longest fine-tuning, and a run with a dead process would hang for that long.

    Args:
        store: store that all processes can write to.
        interval: seconds between beats.
        limit: a process that has been silent for more than this many seconds counts as dead. A process that has not
            started to beat is waited for.
        on_death: called with a line that says who is dead; default: log the line and end this process.

    Raises:
        ValueError: if the limit is not longer than two intervals.
    """

    def __init__(self, store: Store, *, interval: float = 5.0, limit: float = 45.0,
                 on_death: Callable[[str], None] | None = None) -> None:
        if not 0 < 2 * interval < limit:
            raise ValueError(f'the limit must be longer than two intervals, got {limit} and {interval} seconds')
        self.store, self.interval, self.limit = store, interval, limit
        self.on_death = on_death or end_this_process
        self.rank, self.world_size = get_dist_info()
        self._ended = threading.Event()
        self._heard: dict[int, tuple[int, float]] = {}  # rank -> its beats, when the last one was new
        self._thread = threading.Thread(target=self._run, name='heartbeat', daemon=True)

    def start(self) -> None:
        """Start to beat. The other processes expect the beats to go on until all of them call :meth:`stop`."""
        self.store.set(f'tempseg_mm/who/{self.rank}', f'process {os.getpid()} on {socket.gethostname()}')
        self._thread.start()

    def stop(self) -> None:
        """Stop without notice to the others. Call it when all processes have finished."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                dead = self._beat_and_listen()
            except RuntimeError:  # the store does not answer any more
                dead = 'the process that keeps the store of the run (rank 0 or torchrun) does not answer'
            if dead and not self._ended.is_set():
                self._ended.set()
                self.on_death(dead)
            self._ended.wait(self.interval)

    def _beat_and_listen(self) -> str | None:
        self.store.add(f'tempseg_mm/beat/{self.rank}', 1)
        now = time.monotonic()
        for rank in range(self.world_size):
            beats = self.store.add(f'tempseg_mm/beat/{rank}', 0)
            before, since = self._heard.get(rank, (0, now))
            if beats != before:
                self._heard[rank] = beats, now
            elif beats and now - since > self.limit:
                who = self.store.get(f'tempseg_mm/who/{rank}').decode()
                return f'rank {rank} ({who}) has been silent for {now - since:.0f} s'
        return None


def end_this_process(dead: str) -> None:
    """Log who is dead and kill this process, since a collective that waits for the dead one reacts only to SIGKILL."""
    print_log(f'{dead}: it is dead, and this run cannot continue without it. See the last lines of its own output. '
              'Checkpoints and finished sequences are kept: resume from them with --resume.',
              logger='current', level=logging.CRITICAL)
    logging.shutdown()
    os.kill(os.getpid(), signal.SIGKILL)
