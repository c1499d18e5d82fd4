"""Region similarity J of DAVIS 2016. Called by the metric and by whoever captions a picture with a score."""

import numpy as np

from tempseg_mm.structures.segmented_frame import ids_of

from .binary_mask import as_binary_pair


def region_similarity(pred: np.ndarray, gt: np.ndarray, void: np.ndarray | None = None) -> float:
    """Region similarity J = |P ∩ G| / |P ∪ G| (Perazzi et al., CVPR 2016, section 4.1).

    Void pixels count in neither set, as in ``db_eval_iou`` of the official code of DAVIS 2017 (davis2017-evaluation,
    ``davis2017/metrics.py``).

    Args:
        pred: (H, W) bool or 0/1 integers, the predicted mask P.
        gt: (H, W) likewise, the ground truth G.
        void: (H, W) likewise: where the annotation does not say; ``None``: nowhere.

    Returns:
        J in [0, 1]. Two empty masks agree: 1.

    Raises:
        ValueError: shapes that differ, or values other than 0 and 1.
    """
    pred, gt = as_binary_pair(pred, gt, void)
    union = np.count_nonzero(pred | gt)
    if union == 0:
        return 1.0
    return float(np.count_nonzero(pred & gt) / union)


def mean_similarity(pred: np.ndarray, gt: np.ndarray, void: np.ndarray | None = None) -> float:
    """Mean J over the objects that a frame shows, for captions and for what is worth a look.

    Args:
        pred: (H, W) uint8 ids, 0 the background.
        gt: likewise.
        void: as in :func:`region_similarity`.

    Returns:
        J in [0, 1]; 1 where both show nothing.
    """
    shown = {*ids_of(pred), *ids_of(gt)}
    return sum(region_similarity(pred == i, gt == i, void) for i in shown) / len(shown) if shown else 1.0
