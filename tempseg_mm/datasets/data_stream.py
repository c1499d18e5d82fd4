"""The training data as a stream that counts how far training has read. ``GANTrainLoop`` wraps its data loader in it.

Workers read ahead of training, so the stream counts the batches that training received. torchdata's
``StatefulDataLoader`` does not fit: it keeps one state per worker process, needs the same number of workers when it
resumes, and draws from the main random stream.
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
    """A data loader that starts at ``position``, together with its workers, when the first batch is requested.

    All other attributes are those of the data loader.

    Args:
        loader: has a :class:`~tempseg_mm.datasets.samplers.ResumableSampler`; any other sampler works if training never
            resumes.
        finish: function that the workers apply to each collated batch; must be picklable.

    Attributes:
        position: number of clips that training has received so far, over all processes.
    """

    def __init__(self, loader: DataLoader, finish: Callable[[Any], Any] | None = None) -> None:
        self.loader, self.position = loader, 0
        self._running: Callable[[], Generator | None] = lambda: None
        # Without its own generator each iterator would draw from the main random stream, which dropout also uses.
        loader.generator = torch.Generator()
        loader.worker_init_fn = partial(_start_worker, loader.worker_init_fn)
        if finish is not None:
            loader.collate_fn = partial(_finished, finish, loader.collate_fn)
        if loader.num_workers > 0:
            atexit.unregister(_end_workers)
            atexit.register(_end_workers)

    def __iter__(self) -> Iterator[Any]:
        """Return the batches from ``position`` on; if the sampler cannot start there, one pass through the data."""
        batches = self._batches()
        self._running = weakref.ref(batches)  # no reference cycle: the workers end as soon as the batches are dropped
        return batches

    def close(self) -> None:
        """Stop the workers, unless they are persistent: the garbage collector would wait five seconds for each."""
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
        if name == 'loader':  # not set yet, for example while a copy is being made
            raise AttributeError(name)
        return getattr(self.loader, name)

    @property
    def clips_per_batch(self) -> int:
        """Number of clips in one batch, summed over all processes."""
        return self.loader.batch_sampler.batch_size * getattr(self.loader.sampler, 'world_size', 1)

    def state_dict(self) -> dict:
        """Return ``position`` and the ``seed`` of the sampler's order."""
        return dict(position=self.position, seed=getattr(self.loader.sampler, 'seed', None))

    def load_state_dict(self, state: dict) -> None:
        """Resume at the position where :meth:`state_dict` was called. Call this before the first batch.

        Raises:
            ValueError: if the sampler cannot start in the middle of the data.
        """
        self.go_on_at(state['position'])
        self.loader.sampler.seed = state['seed']

    def go_on_at(self, position: int) -> None:
        """Start after ``position`` clips. See :meth:`load_state_dict`."""
        if not hasattr(self.loader.sampler, 'start'):
            raise ValueError(f'{type(self.loader.sampler).__name__} cannot start in the middle of the data, as it must '
                             "to resume a run: set train_dataloader.sampler=dict(type='ResumableSampler')")
        self.position = position


def _finished(finish: Callable, collate: Callable, items: list) -> Any:
    return finish(collate(items))


def _start_worker(others: Callable | None, worker: int) -> None:
    """Make a worker ignore stop signals sent to the whole job: the main process needs it to finish its iteration."""
    for one in STOP_SIGNALS:
        signal.signal(one, signal.SIG_IGN)
    if others is not None:
        others(worker)


def _end_workers() -> None:
    """Kill the workers at the end of the program, since they ignore the SIGTERM that multiprocessing would send."""
    if hasattr(signal, 'SIGCHLD'):
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # torch's handler would report the kill as a crash
    for child in multiprocessing.active_children():
        if child.daemon:
            child.kill()
