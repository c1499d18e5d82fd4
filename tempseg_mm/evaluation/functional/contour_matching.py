"""Compares two contours: shape contexts, and the cheapest matching of points in order. Used by the measure T."""

import numpy as np

ANGLES = 12
RADII = (1 / 8, 1 / 4, 1 / 2, 1, 2)  # outer radii of the rings, in mean distances
BINS = ANGLES * (len(RADII) + 1)  # including the bins beyond the last ring, which are cut off in the end
EPS = np.finfo(np.float64).eps
TURN = 2 * np.pi
BLOCK = 64  # points processed at a time, so that their data stay in the cache


def shape_contexts(points: np.ndarray) -> np.ndarray:
    """Compute for each contour point a histogram of where all points lie relative to it (Belongie et al., PAMI 2002).

    Distances are divided by the mean of all n² distances, including each point's distance to itself. A point also
    counts in its own histogram. Angles are measured in the image, not relative to the tangent.

    Args:
        points: (n, 2) floats, not all equal. Angles run from the first coordinate to the second.

    Returns:
        (n, 60) float64: 5 rings of 12 angles; rows sum to 1. Points beyond the last ring are left out.
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
    """Compute the χ² distance ½ Σ (a - b)² / (a + b) between all shape contexts of two contours, with 0 / 0 = 0.

    Args:
        a: (n, K) histograms.
        b: (m, K) histograms.

    Returns:
        (n, m) float64 in [0, 1]; exactly 0 where histograms are equal.
    """
    # Most bins are empty. If a bin is empty in one histogram, its term is the other's value; a product of matrices
    # sums these terms. The fraction is computed only for bins that are filled in both.
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
    """Return the bin 0..11 of angles in [-π, π], rounded like MATLAB's ``floor(rem(angle + 2π, 2π) / (2π / 12))``.

    Contours have many horizontal and vertical stretches, whose angles lie on the edges of bins, so another rounding
    gives another T. MATLAB's ``rem`` is also 0 for the number just below 2π. The conversion to integers rounds towards
    0.
    """
    angle = angle + TURN
    angle -= TURN * (angle >= np.nextafter(TURN, 0))
    angle /= TURN / ANGLES
    return angle.astype(np.int64)


def matching_cost(cost: np.ndarray) -> float:
    """Compute the mean cost of the pairs in the cheapest order-preserving matching of two closed contours.

    The cheapest monotone path through ``cost`` gives an anchor, its cheapest cell. A second path starts behind the
    anchor, goes around both contours and ends in the anchor. From its cells, every point keeps its cheapest one, first
    the points of the first contour, then those of the second.

    Args:
        cost: (n, m), n and m >= 1: cost of matching point i with point j.

    Returns:
        The mean of ``cost`` over the pairs kept.
    """
    path = monotone_path(cost)
    values = cost[path[:, 0], path[:, 1]]
    anchor = path[np.argmin(values[:-1])] if len(path) > 1 else path[0]
    shift = anchor + 1
    path = monotone_path(np.roll(cost, -shift, axis=(0, 1)))
    return _mean_of_pairs(cost, (path + shift) % cost.shape)


def monotone_path(cost: np.ndarray) -> np.ndarray:
    """Find the cheapest path from cell (0, 0) to the last by steps (1, 0), (0, 1), (1, 1); the first cell is free.

    Args:
        cost: (n, m).

    Returns:
        (k, 2) int64 cells, from the last to the first. Among equally cheap predecessors the diagonal one is preferred.
    """
    total = _path_costs(cost)
    row, column = cost.shape[0] - 1, cost.shape[1] - 1
    path = [(row, column)]
    while row or column:
        before, now = total[row + column - 2 if row + column > 1 else -1], total[row + column - 1]
        diagonal, up, left = before[row], now[row], now[row + 1]
        if diagonal <= up and diagonal <= left:
            row, column = row - 1, column - 1
        elif up <= left:
            row -= 1
        else:
            column -= 1
        path.append((row, column))
    return np.array(path)


def _path_costs(cost: np.ndarray) -> np.ndarray:
    """Return (n + m, n + 1): entry (d, i + 1) is the least cost of a path to cell (i, d - i), infinite off the matrix.

    Cells of an anti-diagonal depend only on the two before it, so each anti-diagonal is computed at once.
    """
    n, m = cost.shape
    skewed = np.full((n, n + m), np.inf)
    skewed[:, :m] = cost
    diagonals = skewed.ravel()[:n * (n + m - 1)].reshape(n, n + m - 1).T.copy()  # entry (d, i): cost[i, d - i]
    total = np.full((n + m, n + 1), np.inf)  # the last row stands for anti-diagonal -1
    total[0, 1] = 0
    for d in range(1, n + m - 1):
        row = np.minimum(total[d - 1, :-1], total[d - 1, 1:])
        np.minimum(row, total[d - 2, :-1], out=row)
        np.add(row, diagonals[d], out=total[d, 1:])
    return total


def _mean_of_pairs(cost: np.ndarray, path: np.ndarray) -> float:
    values = cost[path[:, 0], path[:, 1]]
    by_row = np.lexsort((np.arange(len(path)), values, path[:, 0]))  # in a row the cheapest first, then in path order
    pairs = by_row[_first_of_each(path[by_row, 0])]
    by_column = pairs[np.lexsort((path[pairs, 0], values[pairs], path[pairs, 1]))]
    pairs = by_column[_first_of_each(path[by_column, 1])]
    return float(values[pairs].mean())


def _first_of_each(keys: np.ndarray) -> np.ndarray:
    """Return (n,) bool: True where a sorted key differs from the one before."""
    return np.concatenate([[True], keys[1:] != keys[:-1]])
