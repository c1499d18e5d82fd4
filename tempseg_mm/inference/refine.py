"""Applies the dense CRF to segmented frames, in worker processes beside the network. ``CRFHook`` calls it."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import torch

from tempseg_mm.ops.dense_crf import DenseCRF
from tempseg_mm.ops.soft_aggregation import soft_aggregation
from tempseg_mm.registry import TASK_UTILS
from tempseg_mm.runtime.worker_pool import Job, WorkerPool, default_workers
from tempseg_mm.structures import SegmentedFrame

TASK_UTILS.register_module(module=DenseCRF)


class _Part(NamedTuple):
    """One object of a frame."""
    frame: SegmentedFrame
    k: int
    is_last: bool


class CRFRefiner:
    """Refines the mask of each object separately, then merges them. Frames not segmented by the network do not change.

    Paper note: the CRF comes after everything else, and the network never sees what it made: the reference masks of
    later frames are the network's own (paper note P17).

    Args:
        crf: a :class:`~tempseg_mm.ops.dense_crf.DenseCRF`, or another function of a probability and an image that can
            be pickled.
        workers: number of worker processes. 0: the work is done in this process. ``None``: one per core but one,
            at least one and at most four.
    """

    def __init__(self, crf: DenseCRF, *, workers: int | None = None) -> None:
        self.crf = crf
        self._pool = WorkerPool(default_workers(busy=1) if workers is None else workers)
        self._inline = WorkerPool(0)

    def refine(self, stream: Iterable[SegmentedFrame], *, ahead: bool = True) -> Iterator[SegmentedFrame]:
        """Yield the refined frames of the stream in order.

        Args:
            stream: segmented frames.
            ahead: refine up to two objects per worker at once. If False, each frame is refined in this process before
                the next frame is read.

        Raises:
            RuntimeError: naming sequence, frame and object, if the CRF fails or its process dies.
        """
        refined: list[np.ndarray] = []
        for part, answer in (self._pool if ahead else self._inline).in_order(_parts(stream), self._job):
            refined.append(part.frame.probabilities[part.k] if answer is None else answer)
            if part.is_last:
                part.frame.probabilities, refined = _merged(refined), []
                yield part.frame

    def close(self) -> None:
        """Stop the workers. They start again when they are needed."""
        self._pool.close()

    def _job(self, part: _Part) -> Job | None:
        frame = part.frame
        if not frame.answered or not frame.probabilities[part.k].any():  # the object has not appeared yet
            return None
        return Job(f'CRF of sequence {frame.sequence}, frame {frame.file_name or frame.frame_id}, object '
                   f'{frame.object_ids[part.k]}', self.crf, (frame.probabilities[part.k], frame.image))


def _parts(stream: Iterable[SegmentedFrame]) -> Iterator[_Part]:
    for frame in stream:
        for k in range(len(frame.object_ids)):
            yield _Part(frame, k, k == len(frame.object_ids) - 1)


def _merged(probabilities: list[np.ndarray]) -> np.ndarray:
    return soft_aggregation(torch.from_numpy(np.stack(probabilities)))[1:].numpy()
