"""Refines the masks of a test with the dense CRF, before they are scored, saved or drawn."""

from collections.abc import Iterator

from mmengine.hooks import Hook

from tempseg_mm.inference.crf import CRFRefiner
from tempseg_mm.registry import HOOKS, TASK_UTILS
from tempseg_mm.structures import FramePrediction


@HOOKS.register_module()
class CRFHook(Hook):
    """Refines frames in worker processes while the network goes on with the next ones.

    Args:
        crf: config of a ``DenseCRF``; default: its own defaults. ``tools/tune_crf.py`` writes one.
        workers: processes; 0: none but this one; ``None``: one a core, at most four.

    Raises:
        ImportError: without pydensecrf.
    """

    def __init__(self, crf: dict | None = None, workers: int | None = None) -> None:
        self.refiner = CRFRefiner(TASK_UTILS.build(crf or dict(type='DenseCRF')), workers=workers)

    def refine_masks(self, runner, stream: Iterator[FramePrediction]) -> Iterator[FramePrediction]:
        """See ``VOSTestLoop``."""
        return self.refiner.refine(stream)

    def after_test(self, runner) -> None:
        self.refiner.close()
