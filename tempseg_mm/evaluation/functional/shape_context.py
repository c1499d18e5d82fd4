"""Shape contexts of a contour and how much those of two contours differ. Called by the temporal measure."""

import numpy as np

ANGLES = 12
RADII = (1 / 8, 1 / 4, 1 / 2, 1, 2)  # outer radii of the rings, in mean distances
BINS = ANGLES * (len(RADII) + 1)  # with what lies beyond the last ring, which is cut off in the end
EPS = np.finfo(np.float64).eps
TURN = 2 * np.pi
BLOCK = 64  # points done at once, so that what is worked on stays in the cache


def shape_contexts(points: np.ndarray) -> np.ndarray:
    """Where the points of a contour lie as seen from each of them (Belongie et al., PAMI 2002).

    Distances are divided by the mean of all n² of them, each point's distance to itself included; a point counts in
    its own histogram too. Angles are those of the image, not taken from the tangent.

    Args:
        points: (n, 2) floats, not all equal. Angles run from the first coordinate to the second.

    Returns:
        (n, 60) float64: 5 rings of 12 angles; rows add up to 1. Points beyond the last ring are left out.
    """
    first, second = points.T.astype(np.float64)
    distance = np.sqrt((first - first[:, None])**2 + (second - second[:, None])**2)
    distance /= distance.mean()
    counts = np.empty((len(points), BINS))
    for start in range(0, len(points), BLOCK):
        rows = slice(start, start + BLOCK)
        ring = sum((distance[rows] < radius).view(np.uint8) for radius in RADII)  # 0 outside, 5 innermost
        bins = _angle_bin(np.arctan2(second - second[rows, None], first - first[rows, None]))
        bins += ring * np.uint8(ANGLES)
        bins += np.arange(len(bins))[:, None] * BINS
        counts[rows] = np.bincount(bins.ravel(), minlength=len(bins) * BINS).reshape(-1, BINS)
    inside = counts[:, ANGLES:]
    return inside / (inside.sum(1, keepdims=True) + EPS)


def context_cost(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """χ² distance ½ Σ (a - b)² / (a + b) between all shape contexts of two contours, 0 / 0 = 0.

    Args:
        a: (n, K) histograms.
        b: (m, K) likewise.

    Returns:
        (n, m) float64 in [0, 1]; 0 exactly where histograms are equal.
    """
    # Most bins are empty: where one histogram has nothing the term is the other's value, and a product of matrices
    # adds those up. Only where both have something does the fraction remain to be taken.
    cost = a @ (b == 0).T.astype(np.float64) + (a == 0).astype(np.float64) @ b.T
    cells = cost.ravel()
    for column_a, column_b in zip(np.ascontiguousarray(a.T), np.ascontiguousarray(b.T), strict=True):
        rows, columns = np.flatnonzero(column_a), np.flatnonzero(column_b)
        x, y = column_a[rows, None], column_b[columns]
        term = x - y
        term *= term
        term /= x + y
        cells[rows[:, None] * len(b) + columns] += term
    return cost / 2


def _angle_bin(angle: np.ndarray) -> np.ndarray:
    """Bin 0..11 of angles in [-π, π], rounded as MATLAB's ``floor(rem(angle + 2π, 2π) / (2π / 12))`` does.

    Contours are full of horizontal and vertical stretches, whose angles lie on the edges of bins: another way to round
    gives another T. MATLAB's ``rem`` is 0 also for the number just below 2π; the conversion to integers cuts towards 0.
    """
    angle = angle + TURN
    angle -= TURN * (angle >= np.nextafter(TURN, 0))
    angle /= TURN / ANGLES
    return angle.astype(np.int64)
