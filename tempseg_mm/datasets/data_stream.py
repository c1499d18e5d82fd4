"""The training data as a stream that knows how far training has read. Made by ``GANTrainLoop`` around its data loader.

Workers read ahead of training; what counts here is what training was given. torchdata's ``StatefulDataLoader`` keeps a
state in each process, wants as many workers as before, and draws from the main stream of random numbers.
"""

import atexit
import multiprocessing
import signal
import weakref
from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import Any

import torch
from torch.utils.data import DataLoader

from tempseg_mm.runtime.stop_signals import STOP_SIGNALS


class DataStream:
    """A data loader that starts, with its workers, at ``position`` when its first batch is asked for.

    Everything else is answered by the data loader.

    Args:
        loader: with a :class:`~tempseg_mm.datasets.samplers.ResumableSampler`, or any other if training never
            resumes.
        finish: what workers do with each batch when it is collated; must be picklable.

    Attributes:
        position: clips that training was given so far, over all processes.
    """

    def __init__(self, loader: DataLoader, finish: Callable[[Any], Any] | None = None) -> None:
        self.loader, self.position = loader, 0
        self._running: Callable[[], Generator | None] = lambda: None
        # Else each iterator draws a number from the main stream, of which dropout draws.
        loader.generator = torch.Generator()
        loader.worker_init_fn = partial(_start_worker, loader.worker_init_fn)
        if finish is not None:
            loader.collate_fn = partial(_finished, finish, loader.collate_fn)
        if loader.num_workers > 0:
            atexit.unregister(_end_workers)
            atexit.register(_end_workers)

    def __iter__(self) -> Iterator[Any]:
        """Batches from ``position`` on; a sampler that cannot start there, a round through the data."""
        batches = self._batches()
        self._running = weakref.ref(batches)  # no circle: whoever drops the batches ends the workers at once
        return batches

    def close(self) -> None:
        """End the workers, unless they are persistent: the garbage collector would wait five seconds for each."""
        batches = self._running()
        if batches is not None:
            batches.close()

    def _batches(self) -> Iterator[Any]:
        if hasattr(self.loader.sampler, 'start'):
            self.loader.sampler.start = self.position
        for batch in self.loader:
            self.position += self.clips_per_batch
            yield batch

    def __len__(self) -> int:
        return len(self.loader)

    def __getattr__(self, name: str) -> Any:
        if name == 'loader':  # not there yet, as while a copy is being made
            raise AttributeError(name)
        return getattr(self.loader, name)

    @property
    def clips_per_batch(self) -> int:
        """Of all processes together."""
        return self.loader.batch_sampler.batch_size * getattr(self.loader.sampler, 'world_size', 1)

    def state_dict(self) -> dict:
        """``position``, and the ``seed`` of the order."""
        return dict(position=self.position, seed=getattr(self.loader.sampler, 'seed', None))

    def load_state_dict(self, state: dict) -> None:
        """Go on where :meth:`state_dict` was asked; before the first batch.

        Raises:
            ValueError: if the sampler cannot start there.
        """
        self.go_on_at(state['position'])
        self.loader.sampler.seed = state['seed']

    def go_on_at(self, position: int) -> None:
        """Start after so many clips, see :meth:`load_state_dict`."""
        if not hasattr(self.loader.sampler, 'start'):
            raise ValueError(f'{type(self.loader.sampler).__name__} cannot start in the middle of the data, as it must '
                             "to resume a run: set train_dataloader.sampler=dict(type='ResumableSampler')")
        self.position = position


def _finished(finish: Callable, collate: Callable, items: list) -> Any:
    return finish(collate(items))


def _start_worker(others: Callable | None, worker: int) -> None:
    """A signal to the whole job is for the main process: it finishes its iteration, which needs its workers."""
    for one in STOP_SIGNALS:
        signal.signal(one, signal.SIG_IGN)
    if others is not None:
        others(worker)


def _end_workers() -> None:
    """At the end of the program, before multiprocessing asks them by SIGTERM, which they ignore, and waits for ever."""
    if hasattr(signal, 'SIGCHLD'):
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # torch's handler would call it a crash
    for child in multiprocessing.active_children():
        if child.daemon:
            child.kill()
