"""Refines masks with the dense CRF, before they are scored, saved or drawn."""

from collections.abc import Iterator

from mmengine.hooks import Hook

from tempseg_mm.inference.refine import CRFRefiner
from tempseg_mm.inference.segmenter import Segmenter
from tempseg_mm.registry import HOOKS, TASK_UTILS
from tempseg_mm.structures import SegmentedFrame


@HOOKS.register_module()
class CRFHook(Hook):
    """Refines frames in worker processes while the network goes on with the next ones; in a live stream at once.

    Args:
        crf: config of a ``DenseCRF``; default: its own defaults. ``tempseg-tune-crf`` writes one.
        workers: processes; 0: none but this one; ``None``: one a core, at most four.

    Raises:
        ImportError: without pydensecrf.
    """

    def __init__(self, crf: dict | None = None, workers: int | None = None) -> None:
        self.refiner = CRFRefiner(TASK_UTILS.build(crf or dict(type='DenseCRF')), workers=workers)

    def refine_masks(self, segmenter: Segmenter, stream: Iterator[SegmentedFrame]) -> Iterator[SegmentedFrame]:
        """See ``VOSTestLoop``."""
        return self.refiner.refine(stream, ahead=segmenter.ahead)

    def close(self) -> None:
        """Stop the workers; called when the segmenter is done."""
        self.refiner.close()
