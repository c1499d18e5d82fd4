"""The CRF on frames with several objects, in worker processes beside the network. Called by the inferencer."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import torch

from tempseg_mm.ops.dense_crf import DenseCRF
from tempseg_mm.ops.soft_aggregation import soft_aggregation
from tempseg_mm.runtime.worker_pool import Job, WorkerPool
from tempseg_mm.structures.segmented_frame import SegmentedFrame


class _Part(NamedTuple):
    """One object of a frame."""
    frame: SegmentedFrame
    k: int
    is_last: bool


class ObjectCRF:
    """Refines each object on its own and merges them again; frames without probabilities pass as they are.

    Paper note: the CRF comes after everything else, and the network never sees what it made (paper note P17).

    Args:
        crf: a :class:`~tempseg_mm.ops.dense_crf.DenseCRF`, or another function of a probability and an image that
            pickles.
        workers: processes; 0: none but this one; ``None``: one a core, at most four.
    """

    def __init__(self, crf: DenseCRF, *, workers: int | None = None) -> None:
        self.crf = crf
        self._pool = WorkerPool(workers)

    def refine(self, stream: Iterable[SegmentedFrame]) -> Iterator[SegmentedFrame]:
        """The frames of the stream in order, refined; two objects a worker are under way at most.

        Raises:
            RuntimeError: naming frame and object, if the CRF fails or its process dies.
        """
        refined: list[np.ndarray] = []
        for part, answer in self._pool.in_order(_parts(stream), self._job):
            if part.frame.probabilities is not None:
                refined.append(part.frame.probabilities[part.k] if answer is None else answer)
            if part.is_last:
                if refined:
                    merged = soft_aggregation(torch.from_numpy(np.stack(refined)))
                    part.frame.probabilities, refined = merged[1:].numpy(), []
                yield part.frame

    def close(self) -> None:
        """Stop the workers."""
        self._pool.close()

    def _job(self, part: _Part) -> Job | None:
        frame = part.frame
        if frame.probabilities is None or not frame.probabilities[part.k].any():  # an object not there yet stays away
            return None
        return Job(f'CRF of frame {frame.file_name}, object number {part.k + 1}', self.crf,
                   (frame.probabilities[part.k], frame.image))


def _parts(stream: Iterable[SegmentedFrame]) -> Iterator[_Part]:
    for frame in stream:
        count = 1 if frame.probabilities is None else len(frame.probabilities)
        for k in range(count):
            yield _Part(frame, k, k == count - 1)
