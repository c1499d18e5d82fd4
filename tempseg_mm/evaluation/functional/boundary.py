"""Contour accuracy F of DAVIS 2016. Called by the metric; relies on OpenCV for the dilation."""

import math

import cv2
import numpy as np

from .binary_mask import as_binary_mask, as_binary_pair


def boundary_map(mask: np.ndarray) -> np.ndarray:
    """Pixels that differ from their right, lower or lower-right neighbour.

    A neighbour beyond the image is left out, not taken for background: a mask that fills the image has no boundary.

    Args:
        mask: (H, W) bool or 0/1 integers.

    Returns:
        (H, W) bool.

    Raises:
        ValueError: for another rank or other values.
    """
    mask = as_binary_mask(mask)
    boundary = np.zeros(mask.shape, bool)
    boundary[:, :-1] = mask[:, :-1] != mask[:, 1:]
    boundary[:-1] |= mask[:-1] != mask[1:]
    boundary[:-1, :-1] |= mask[:-1, :-1] != mask[1:, 1:]
    return boundary


def contour_accuracy(pred: np.ndarray, gt: np.ndarray, bound_th: float = 0.008) -> float:
    """Contour accuracy F = 2PR / (P + R) (Perazzi et al., CVPR 2016, section 4.1).

    P is the share of the predicted boundary within r pixels of the true one, R the reverse; r is ``bound_th`` of the
    image's diagonal, rounded up (8 pixels at 480×854).

    Args:
        pred: (H, W) bool or 0/1 integers, the predicted mask.
        gt: (H, W) likewise, the ground truth.
        bound_th: r as a share of the diagonal; from 1 on, r in pixels.

    Returns:
        F in [0, 1]. Two masks without boundary agree: 1. One without boundary: 0.

    Raises:
        ValueError: shapes that differ, values other than 0 and 1, or a ``bound_th`` that is not positive.
    """
    if not bound_th > 0:
        raise ValueError(f'bound_th must be positive (a share of the diagonal, or pixels from 1 on), got {bound_th}')
    pred, gt = as_binary_pair(pred, gt)
    pred_boundary, gt_boundary = boundary_map(pred), boundary_map(gt)
    pred_count, gt_count = np.count_nonzero(pred_boundary), np.count_nonzero(gt_boundary)
    if pred_count == 0 and gt_count == 0:
        return 1.0
    if pred_count == 0 or gt_count == 0:
        return 0.0

    radius = math.ceil(bound_th if bound_th >= 1 else bound_th * math.hypot(*pred.shape))
    # Pixels outside the box that holds both boundaries neither count nor come near a pixel that does.
    box = _bounding_box(pred_boundary | gt_boundary)
    pred_boundary, gt_boundary = pred_boundary[box], gt_boundary[box]
    precision = np.count_nonzero(pred_boundary & _dilate(gt_boundary, radius)) / pred_count
    recall = np.count_nonzero(gt_boundary & _dilate(pred_boundary, radius)) / gt_count
    if precision + recall == 0:
        return 0.0
    return float(2 * precision * recall / (precision + recall))


def _bounding_box(mask: np.ndarray) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _dilate(mask: np.ndarray, radius: int) -> np.ndarray:
    """(H, W) bool, every pixel within ``radius`` (Euclidean) of a pixel of ``mask``."""
    offsets = np.arange(-radius, radius + 1)
    disk = (offsets[:, None]**2 + offsets**2 <= radius**2).astype(np.uint8)
    return cv2.dilate(mask.astype(np.uint8), disk).astype(bool)
