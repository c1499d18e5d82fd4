"""Notices that another process of the run is dead. Started by ``HeartbeatHook``; relies on the store of the run."""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable

from mmengine.dist import get_dist_info
from mmengine.logging import print_log
from torch.distributed import Store


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
