"""The CRF on a stream of segmented frames, in worker processes beside the network. Called by ``CRFHook``."""

from collections.abc import Iterator

from tempseg_mm.ops.dense_crf import DenseCRF
from tempseg_mm.registry import TASK_UTILS
from tempseg_mm.runtime.worker_pool import Job, WorkerPool
from tempseg_mm.structures import FramePrediction

TASK_UTILS.register_module(module=DenseCRF)


class CRFRefiner:
    """Replaces the probabilities of frames by those of the CRF; given masks stay as they are.

    Paper note: the CRF comes after everything else, and the network never sees what it made: the reference masks of
    later frames are the network's own (paper note P17).

    Args:
        crf: a :class:`~tempseg_mm.ops.dense_crf.DenseCRF`, or another function of a probability and an image that
            pickles.
        workers: processes; 0: none but this one; ``None``: one a core, at most four.
    """

    def __init__(self, crf: DenseCRF, *, workers: int | None = None) -> None:
        self.crf = crf
        self._pool = WorkerPool(workers)

    def refine(self, stream: Iterator[FramePrediction]) -> Iterator[FramePrediction]:
        """The frames of the stream in order, refined; two frames a worker are under way at most.

        Raises:
            RuntimeError: naming sequence and frame, if the CRF fails or its process dies.
        """
        for frame, refined in self._pool.in_order(stream, self._job):
            if refined is not None:
                frame.probability = refined
            yield frame

    def close(self) -> None:
        """Stop the workers."""
        self._pool.close()

    def _job(self, frame: FramePrediction) -> Job | None:
        if frame.given:
            return None
        return Job(f'CRF of sequence {frame.sequence}, frame {frame.file_name}', self.crf,
                   (frame.probability, frame.image))
