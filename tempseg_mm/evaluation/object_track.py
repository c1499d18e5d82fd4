"""Scores one object of a sequence mask by mask, for the metric of a test and for the scoring of folders."""

from collections.abc import Collection

import numpy as np

from tempseg_mm.sources.mask_files import Labels

from .functional import InstabilityChain, contour_accuracy, region_similarity
from .functional.binary_mask import without_void
from .functional.boundary import BOUND_TH


class ObjectTrack:
    """Computes J, F and T of one object as DAVIS 2017 does, from the annotation after its first one on::

        track.begin(annotation)                 # its first annotation: given, so not scored; T starts from it
        track.score(prediction, annotation)     # each later one, in order

    Args:
        measures: some of 'J', 'F' and 'T'.
        object_id: id in annotations and predictions; ``None``: everything that is not 0.
        bound_th: tolerance of F, see :func:`~tempseg_mm.evaluation.functional.boundary.contour_accuracy`.
    """

    def __init__(self, measures: Collection[str], object_id: int | None, bound_th: float = BOUND_TH) -> None:
        self.measures, self.object_id, self.bound_th = measures, object_id, bound_th
        self._chain = InstabilityChain() if 'T' in measures else None

    def begin(self, gt: Labels) -> None:
        """Start from the first annotation of the object."""
        if self._chain is not None:
            self._chain.step(self._of(gt.ids))

    def score(self, pred: np.ndarray, gt: Labels) -> dict[str, float]:
        """Score the next mask.

        Args:
            pred: (H, W) uint8 ids.
            gt: the annotation of that frame; void pixels count in neither mask.

        Returns:
            One value per measure. T compares the mask with the one before; it is NaN if one of them has no contour.
        """
        pred_mask, gt_mask = self._of(pred), self._of(gt.ids)
        values = {}
        if 'J' in self.measures:
            values['J'] = region_similarity(pred_mask, gt_mask, gt.void)
        if 'F' in self.measures:
            values['F'] = contour_accuracy(pred_mask, gt_mask, self.bound_th, gt.void)
        if self._chain is not None:
            values['T'] = self._chain.step(without_void(pred_mask, gt.void))
        return values

    def _of(self, labels: np.ndarray) -> np.ndarray:
        return labels != 0 if self.object_id is None else labels == self.object_id
