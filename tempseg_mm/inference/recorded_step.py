"""Repeats an optimiser step on a GPU as a CUDA graph: starting its hundreds of kernels takes longer than they do.

``Learner`` uses it.
"""

import dataclasses
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial

import torch
from mmengine.logging import print_log
from torch import Tensor

from tempseg_mm.structures import ClipBatch

Terms = dict[str, Tensor]
Update = Callable[[ClipBatch], Terms]

WARM_UP = 3  # steps before the recording, in which layers and the optimiser make what they keep


class RecordedStep:
    """Takes steps: the first ones as they are, then one that is recorded, and then that one again with other data.

    A recorded step repeats its kernels on the same memory. So it must not wait for the GPU, must take the same path
    each time, and needs clips of the same size. Clips of another size take an ordinary step. If a step cannot be
    recorded, a warning says why, and all steps are ordinary ones. See "CUDA semantics" in the documentation of torch.

    Args:
        update: takes a step on a batch of clips and returns scalars by name.
    """

    def __init__(self, update: Update) -> None:
        self._update = update
        self._taken = 0
        self._can_record = True
        self._clips: ClipBatch | None = None
        self._repeat: Callable[[], Terms] | None = None

    def __call__(self, batch: ClipBatch) -> Terms:
        """Take a step and return its terms, which later steps do not change."""
        if self._repeat is not None and _shapes(batch) == _shapes(self._clips):
            return self._repeated(batch)
        if self._repeat is not None or not self._can_record:
            return self._update(batch)
        self._taken += 1
        if self._taken > WARM_UP:
            return self._recorded(batch)
        with beside_other_work(stream_of(batch.frames.device)), noticed_waits() as waits:
            terms = self._update(batch)
        if waits and self._taken == WARM_UP:  # earlier steps may wait while something is made that lasts
            self._give_up(waits[0])
        return terms

    def _recorded(self, batch: ClipBatch) -> Terms:
        own = {name: value.clone() for name, value in _tensors(batch).items()}
        clips = dataclasses.replace(batch, **own)
        try:
            self._repeat = record(partial(self._update, clips), batch.frames.device)
        except RuntimeError as error:  # nothing has run yet, so the weights are as before
            self._give_up(str(error))
            return self._update(batch)
        self._clips = clips
        return self._repeated(batch)

    def _repeated(self, batch: ClipBatch) -> Terms:
        for name, value in _tensors(batch).items():
            getattr(self._clips, name).copy_(value)
        return {name: value.clone() for name, value in self._repeat().items()}

    def _give_up(self, reason: str) -> None:
        self._can_record = False
        print_log(f'The steps of fine-tuning cannot be recorded as a CUDA graph, so they take longer: {reason}. To '
                  'avoid this warning, set model.compute.graph=False.', 'current', logging.WARNING)


@cache
def stream_of(device: torch.device) -> torch.cuda.Stream:
    """Return the stream of a GPU for recordings and what precedes them. cuBLAS keeps memory for every stream it sees.
    """
    return torch.cuda.Stream(device)


def record(function: Callable[[], Terms], device: torch.device) -> Callable[[], Terms]:
    """Record the kernels that a function starts on a GPU without running them.

    Returns:
        A function that runs them and returns the same tensors each time, with new values.

    Raises:
        RuntimeError: if they cannot be recorded.
    """
    graph = torch.cuda.CUDAGraph()
    # Meanwhile another thread may copy clips to pinned memory.
    with torch.cuda.graph(graph, stream=stream_of(device), capture_error_mode='thread_local'):
        terms = function()

    def repeat() -> Terms:
        graph.replay()
        return terms
    return repeat


@contextmanager
def beside_other_work(stream: torch.cuda.Stream) -> Iterator[None]:
    """Run the block on another stream of the GPU, as a recording does, in order with the work before and after it."""
    stream.wait_stream(torch.cuda.current_stream(stream.device))
    with torch.cuda.stream(stream):
        yield
    torch.cuda.current_stream(stream.device).wait_stream(stream)


@contextmanager
def noticed_waits() -> Iterator[list[str]]:
    """Provide a list that holds, after the block, where the CPU waited for the GPU; other warnings are dropped."""
    waits: list[str] = []
    before = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        torch.cuda.set_sync_debug_mode('warn')
        try:
            yield waits
        finally:
            torch.cuda.set_sync_debug_mode(before)
    waits += [f'{one.filename}:{one.lineno} waits for the GPU' for one in caught
              if 'called a synchronizing CUDA operation' in str(one.message)]


def _tensors(batch: ClipBatch) -> dict[str, Tensor]:
    return {name: value for name, value in vars(batch).items() if isinstance(value, Tensor)}


def _shapes(batch: ClipBatch) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in _tensors(batch).items()}
