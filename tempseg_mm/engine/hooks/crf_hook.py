"""Refines masks with the dense CRF before they are scored, saved or drawn."""

import logging
from collections.abc import Iterator

from mmengine.hooks import Hook
from mmengine.logging import print_log

from tempseg_mm.inference.refine import CRFRefiner
from tempseg_mm.inference.segmenter import Segmenter
from tempseg_mm.registry import HOOKS, TASK_UTILS
from tempseg_mm.structures import SegmentedFrame


@HOOKS.register_module()
class CRFHook(Hook):
    """Refines frames in worker processes while the network segments the next ones; in a live stream, one by one.

    Args:
        crf: config of a ``DenseCRF``; default: the ``crf`` of the config file or, if it has none, the defaults of
            ``DenseCRF``. ``tempseg-tune-crf`` writes one.
        workers: number of worker processes. 0: the work is done in this process. ``None``: one per core but one,
            at least one and at most four.
        required: if False, the masks stay as they are where pydensecrf is missing, and a warning says so.

    Raises:
        ImportError: without pydensecrf, if it is required.
    """

    def __init__(self, crf: dict | None = None, workers: int | None = None, *, required: bool = True) -> None:
        self.refiner = None
        try:
            self.refiner = CRFRefiner(TASK_UTILS.build(crf or dict(type='DenseCRF')), workers=workers)
        except ImportError as error:
            if required:
                raise
            print_log(f'the masks are not refined: {error}', logger='current', level=logging.WARNING)

    def refine_masks(self, segmenter: Segmenter, stream: Iterator[SegmentedFrame]) -> Iterator[SegmentedFrame]:
        """Refine the frames of the stream; see ``VOSTestLoop``."""
        return stream if self.refiner is None else self.refiner.refine(stream, ahead=segmenter.ahead)

    def close(self) -> None:
        """Stop the workers. The segmenter calls it at its end."""
        if self.refiner is not None:
            self.refiner.close()
