"""Several processes of one run: waiting for each other, the end when one of them is dead, and the model as one of them
alone has it. Used by the loops and ``HeartbeatHook``; relies on the store that torch's process group keeps."""

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

_MEETINGS = itertools.count()  # every process counts alike, since all of them come to every meeting


def run_store() -> Store:
    """The key-value store of the run, which all processes reach; needs a process group."""
    store = distributed_c10d._get_default_store()
    return store.clone() if hasattr(store, 'clone') else store  # a connection of its own, where torch can


def wait_for_all(poll: float = 0.2) -> None:
    """Return when every process of the run has come here, however long that takes; at once if there is but one.

    A collective would end in an error after the time-out of the process group, and a process that fine-tunes on long
    sequences may come that much later. Whether it still lives is what the heartbeat looks after.

    Args:
        poll: seconds between two looks.

    Raises:
        RuntimeError: if the process that keeps the store is gone.
    """
    rank, world_size = get_dist_info()
    if world_size == 1:
        return
    store, key = run_store(), f'tempseg_mm/meeting/{next(_MEETINGS)}'
    try:
        _wait_for(store, f'{key}/came', world_size, poll)
        if rank == 0:  # it may keep the store, and the others are still asking
            _wait_for(store, f'{key}/saw', world_size, poll)
        else:
            store.add(f'{key}/saw', 1)
    except RuntimeError as error:
        raise RuntimeError(f'process {rank} waited for the others, but the store of the run is gone, and with it the '
                           'process that kept it: rank 0, or torchrun. See what that one said last.') from error


def _wait_for(store: Store, key: str, count: int, poll: float) -> None:
    store.add(key, 1)
    while store.add(key, 0) < count:
        time.sleep(poll)


@contextmanager
def without_wrappers(model: nn.Module) -> Iterator[nn.Module]:
    """Inside, the sub-modules of ``model`` are bare: a backward pass through them waits for no other process.

    Args:
        model: whose children may be wrapped for distributed training; changed in place, and changed back.
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
    """Beats in a thread of its own, and listens to the others.

    Who is slow still beats; who is dead does not. A time-out of collectives cannot tell the two apart: it would have to
    be longer than the longest fine-tuning, and a run would hang for as long.

    Args:
        store: where all processes write.
        interval: seconds between beats.
        limit: a process that has been silent for so many seconds is dead. One that has not begun yet is waited for.
        on_death: takes a line about who is dead; default: log it and end this process.

    Raises:
        ValueError: a limit that is not longer than two intervals.
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
        """Begin; other processes expect this one to go on until all of them :meth:`stop`."""
        self.store.set(f'tempseg_mm/who/{self.rank}', f'process {os.getpid()} on {socket.gethostname()}')
        self._thread.start()

    def stop(self) -> None:
        """End without a word: to be called when all processes are through."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                dead = self._beat_and_listen()
            except RuntimeError:  # the store answers no more
                dead = 'rank 0 or torchrun, whichever kept the store of the run, does not answer'
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
    """Say who is dead, then die: a collective that waits for the dead hears no exception and no other signal."""
    print_log(f'{dead}: it is dead, and this run cannot go on without it. What it said last stands in its own output. '
              'Checkpoints and finished sequences are kept: go on from them with --resume.',
              logger='current', level=logging.CRITICAL)
    logging.shutdown()
    os.kill(os.getpid(), signal.SIGKILL)
