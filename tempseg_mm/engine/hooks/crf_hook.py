"""Refines masks with the dense CRF before they are scored, saved or drawn."""

from collections.abc import Iterator

from mmengine.hooks import Hook

from tempseg_mm.inference.refine import CRFRefiner
from tempseg_mm.inference.segmenter import Segmenter
from tempseg_mm.registry import HOOKS, TASK_UTILS
from tempseg_mm.structures import SegmentedFrame


@HOOKS.register_module()
class CRFHook(Hook):
    """Refines frames in worker processes while the network segments the next ones; in a live stream, one by one.

    Args:
        crf: config of a ``DenseCRF``; default: its own defaults. ``tempseg-tune-crf`` writes one.
        workers: number of worker processes. 0: the work is done in this process. ``None``: one per core, at most four.

    Raises:
        ImportError: without pydensecrf.
    """

    def __init__(self, crf: dict | None = None, workers: int | None = None) -> None:
        self.refiner = CRFRefiner(TASK_UTILS.build(crf or dict(type='DenseCRF')), workers=workers)

    def refine_masks(self, segmenter: Segmenter, stream: Iterator[SegmentedFrame]) -> Iterator[SegmentedFrame]:
        """Refine the frames of the stream; see ``VOSTestLoop``."""
        return self.refiner.refine(stream, ahead=segmenter.ahead)

    def close(self) -> None:
        """Stop the workers. The segmenter calls it at its end."""
        self.refiner.close()
