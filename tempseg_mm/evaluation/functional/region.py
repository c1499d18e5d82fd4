"""Region similarity J of DAVIS 2016."""

import numpy as np

from tempseg_mm.structures.segmented_frame import ids_of

from .binary_mask import as_binary_pair


def region_similarity(pred: np.ndarray, gt: np.ndarray, void: np.ndarray | None = None) -> float:
    """Compute the region similarity J = ``|P ∩ G| / |P ∪ G|`` (Perazzi et al., CVPR 2016, section 4.1).

    Void pixels count in neither set, as in ``db_eval_iou`` of the official code of DAVIS 2017 (davis2017-evaluation,
    ``davis2017/metrics.py``).

    Args:
        pred: (H, W) bool or 0/1 integers, the predicted mask P.
        gt: (H, W) bool or 0/1 integers, the ground truth G.
        void: (H, W) bool or 0/1 integers, 1 where the annotation is undecided; ``None``: nowhere.

    Returns:
        J in [0, 1]; 1 if both masks are empty.

    Raises:
        ValueError: if shapes differ, or values are not 0 and 1.
    """
    pred, gt = as_binary_pair(pred, gt, void)
    union = np.count_nonzero(pred | gt)
    if union == 0:
        return 1.0
    return float(np.count_nonzero(pred & gt) / union)


def mean_similarity(pred: np.ndarray, gt: np.ndarray, void: np.ndarray | None = None) -> float:
    """Compute the mean J over the objects in a frame, for captions and to find frames that need attention.

    Args:
        pred: (H, W) uint8 ids, 0 for background.
        gt: (H, W) uint8 ids, 0 for background.
        void: as in :func:`region_similarity`.

    Returns:
        J in [0, 1]; 1 if both show no object.
    """
    shown = {*ids_of(pred), *ids_of(gt)}
    return sum(region_similarity(pred == i, gt == i, void) for i in shown) / len(shown) if shown else 1.0
