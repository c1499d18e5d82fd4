"""Contour accuracy F of DAVIS 2016. Called by the metric; maps become long integers, whose shifts dilate fast."""

import math

import numpy as np

from .binary_mask import as_binary_mask, as_binary_pair

BOUND_TH = 0.008  # tolerance of DAVIS, a share of the diagonal


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
    mask = as_binary_mask(mask).view(np.uint8)  # bytes are compared many at a time
    boundary = np.zeros(mask.shape, np.uint8)
    boundary[:, :-1] = mask[:, :-1] ^ mask[:, 1:]
    boundary[:-1] |= mask[:-1] ^ mask[1:]
    boundary[:-1, :-1] |= mask[:-1, :-1] ^ mask[1:, 1:]
    return boundary.view(bool)


def contour_accuracy(pred: np.ndarray, gt: np.ndarray, bound_th: float = BOUND_TH,
                     void: np.ndarray | None = None) -> float:
    """Contour accuracy F = 2PR / (P + R) (Perazzi et al., CVPR 2016, section 4.1).

    P is the share of the predicted boundary within r pixels of the true one, R the reverse; r is ``bound_th`` of the
    image's diagonal, rounded up (8 pixels at 480×854).

    Both masks are cleared where the annotation is void before boundaries are taken, as in ``f_measure`` of the official
    code of DAVIS 2017 (davis2017-evaluation, ``davis2017/metrics.py``): the edge of the void area is then a boundary of
    both where both go beyond it.

    Args:
        pred: (H, W) bool or 0/1 integers, the predicted mask.
        gt: (H, W) likewise, the ground truth.
        bound_th: r as a share of the diagonal; from 1 on, r in pixels.
        void: (H, W) bool or 0/1 integers: where the annotation does not say; ``None``: nowhere.

    Returns:
        F in [0, 1]. Two masks without boundary agree: 1. One without boundary: 0.

    Raises:
        ValueError: shapes that differ, values other than 0 and 1, or a ``bound_th`` that is not positive.
    """
    if not bound_th > 0:
        raise ValueError(f'bound_th must be positive (a share of the diagonal, or pixels from 1 on), got {bound_th}')
    pred, gt = as_binary_pair(pred, gt, void)
    radius = math.ceil(bound_th if bound_th >= 1 else bound_th * math.hypot(*pred.shape))
    box = _bounding_box(pred | gt, margin=1)  # beyond it there is no boundary and nothing to dilate
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
    """The smallest box that holds a mask and ``margin`` pixels around it, as far as there are any."""
    box = []
    for axis in (1, 0):
        places = np.flatnonzero(mask.any(axis)).tolist()
        box.append(slice(max(places[0] - margin, 0), places[-1] + 1 + margin) if places else slice(0, 0))
    return tuple(box)


def _as_bits(mask: np.ndarray, stride: int) -> int:
    """A mask as one integer, row after row, ``stride`` bits apart."""
    rows = np.zeros((len(mask), stride), np.uint8)
    rows[:, :mask.shape[1]] = mask
    return int.from_bytes(np.packbits(rows, bitorder='little').tobytes(), 'little')


def _dilate(bits: int, radius: int, stride: int) -> int:
    """Every pixel within ``radius`` (Euclidean) of a pixel that is set, and others in the margin between rows.

    Rows must be ``radius`` bits apart or more, so that what leaves one does not come into the next.
    """
    widths = [bits]  # dilated sideways by 0, 1, ... pixels
    for width in range(1, radius + 1):
        widths.append(widths[-1] | bits << width | bits >> width)
    dilated = widths[radius]
    for height in range(1, radius + 1):
        row = widths[math.isqrt(radius**2 - height**2)]
        dilated |= row << height * stride | row >> height * stride
    return dilated
