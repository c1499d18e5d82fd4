"""Contour accuracy F of DAVIS 2016. Boundary maps are packed into long integers, which dilate quickly by bit shifts."""

import math

import numpy as np

from .binary_mask import as_binary_mask, as_binary_pair

BOUND_TH = 0.008  # tolerance of DAVIS, as a share of the diagonal


def boundary_map(mask: np.ndarray) -> np.ndarray:
    """Mark pixels that differ from their right, lower or lower-right neighbour.

    Pixels beyond the image are ignored, not taken as background: a mask that fills the image has no boundary.

    Args:
        mask: (H, W) bool or 0/1 integers.

    Returns:
        (H, W) bool.

    Raises:
        ValueError: if it does not have two dimensions or has other values.
    """
    mask = as_binary_mask(mask).view(np.uint8)  # bytes are compared many at a time
    boundary = np.zeros(mask.shape, np.uint8)
    boundary[:, :-1] = mask[:, :-1] ^ mask[:, 1:]
    boundary[:-1] |= mask[:-1] ^ mask[1:]
    boundary[:-1, :-1] |= mask[:-1, :-1] ^ mask[1:, 1:]
    return boundary.view(bool)


def contour_accuracy(pred: np.ndarray, gt: np.ndarray, bound_th: float = BOUND_TH,
                     void: np.ndarray | None = None) -> float:
    """Compute the contour accuracy F = 2PR / (P + R) (Perazzi et al., CVPR 2016, section 4.1).

    P is the share of the predicted boundary within r pixels of the true boundary, R the reverse. r is ``bound_th``
    times the image diagonal, rounded up (8 pixels at 480×854).

    Void pixels of both masks are cleared before boundaries are computed, as in ``f_measure`` of the official code of
    DAVIS 2017 (davis2017-evaluation, ``davis2017/metrics.py``). If both objects extend into a void area, its edge
    becomes a boundary of both.

    Args:
        pred: (H, W) bool or 0/1 integers, the predicted mask.
        gt: (H, W) bool or 0/1 integers, the ground truth.
        bound_th: r as a share of the diagonal; a value of 1 or more is r in pixels.
        void: (H, W) bool or 0/1 integers, 1 where the annotation is undecided; ``None``: nowhere.

    Returns:
        F in [0, 1]. F is 1 if neither mask has a boundary, and 0 if only one of them has.

    Raises:
        ValueError: if shapes differ, values are not 0 and 1, or ``bound_th`` is not positive.
    """
    if not bound_th > 0:
        raise ValueError(f'bound_th must be positive (a share of the diagonal, or pixels from 1 on), got {bound_th}')
    pred, gt = as_binary_pair(pred, gt, void)
    radius = math.ceil(bound_th if bound_th >= 1 else bound_th * math.hypot(*pred.shape))
    box = _bounding_box(pred | gt, margin=1)  # no boundary lies outside of it
    pred, gt = boundary_map(pred[box]), boundary_map(gt[box])
    stride = pred.shape[1] + radius
    pred, gt = _as_bits(pred, stride), _as_bits(gt, stride)
    if not pred and not gt:
        return 1.0
    if not pred or not gt:
        return 0.0
    precision = (pred & _dilate(gt, radius, stride)).bit_count() / pred.bit_count()
    recall = (gt & _dilate(pred, radius, stride)).bit_count() / gt.bit_count()
    if precision + recall == 0:
        return 0.0
    return float(2 * precision * recall / (precision + recall))


def _bounding_box(mask: np.ndarray, margin: int) -> tuple[slice, ...]:
    """Return the smallest box that holds a mask and ``margin`` pixels around it, clipped to the image."""
    box = []
    for axis in (1, 0):
        places = np.flatnonzero(mask.any(axis)).tolist()
        box.append(slice(max(places[0] - margin, 0), places[-1] + 1 + margin) if places else slice(0, 0))
    return tuple(box)


def _as_bits(mask: np.ndarray, stride: int) -> int:
    """Pack a mask into one integer, row after row, ``stride`` bits apart."""
    rows = np.zeros((len(mask), stride), np.uint8)
    rows[:, :mask.shape[1]] = mask
    return int.from_bytes(np.packbits(rows, bitorder='little').tobytes(), 'little')


def _dilate(bits: int, radius: int, stride: int) -> int:
    """Set every pixel within ``radius`` (Euclidean) of a set pixel; bits in the margin between rows may be set too.

    Rows must be at least ``radius`` bits apart, so that a row does not spill into the next one.
    """
    widths = [bits]  # dilated sideways by 0, 1, ... pixels
    for width in range(1, radius + 1):
        widths.append(widths[-1] | bits << width | bits >> width)
    dilated = widths[radius]
    for height in range(1, radius + 1):
        row = widths[math.isqrt(radius**2 - height**2)]
        dilated |= row << height * stride | row >> height * stride
    return dilated
