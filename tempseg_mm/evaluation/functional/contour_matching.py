"""Two contours compared: shape contexts, and points matched in order at the least cost. Called by the measure T."""

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


def matching_cost(cost: np.ndarray) -> float:
    """Mean cost of the pairs that the cheapest order-preserving matching of two closed contours keeps.

    The cheapest monotone path through ``cost`` gives an anchor, its cheapest cell. A second path starts behind the
    anchor, goes round both contours and ends in it. Of its cells every point keeps its cheapest, first the points of
    the first contour, then those of the second.

    Args:
        cost: (n, m), n and m >= 1: what matching point i with point j costs.

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
    """The cheapest path from cell (0, 0) to the last by steps (1, 0), (0, 1), (1, 1); the first cell is free.

    Args:
        cost: (n, m).

    Returns:
        (k, 2) int64 cells, from the last to the first. Of equally cheap predecessors the diagonal one is taken.
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
    """(n + m, n + 1), entry (d, i + 1): cost of the cheapest path to cell (i, d - i); infinite off the matrix.

    Cells of one anti-diagonal depend on the two before it only, so each is done at once.
    """
    n, m = cost.shape
    skewed = np.full((n, n + m), np.inf)
    skewed[:, :m] = cost
    diagonals = skewed.ravel()[:n * (n + m - 1)].reshape(n, n + m - 1).T.copy()  # entry (d, i): cost[i, d - i]
    total = np.full((n + m, n + 1), np.inf)  # the last row stands for the anti-diagonal before the first
    total[0, 1] = 0
    for d in range(1, n + m - 1):
        row = np.minimum(total[d - 1, :-1], total[d - 1, 1:])
        np.minimum(row, total[d - 2, :-1], out=row)
        np.add(row, diagonals[d], out=total[d, 1:])
    return total


def _mean_of_pairs(cost: np.ndarray, path: np.ndarray) -> float:
    values = cost[path[:, 0], path[:, 1]]
    by_row = np.lexsort((np.arange(len(path)), values, path[:, 0]))  # within a row the cheapest first, then as walked
    pairs = by_row[_first_of_each(path[by_row, 0])]
    by_column = pairs[np.lexsort((path[pairs, 0], values[pairs], path[pairs, 1]))]
    pairs = by_column[_first_of_each(path[by_column, 1])]
    return float(values[pairs].mean())


def _first_of_each(keys: np.ndarray) -> np.ndarray:
    """(n,) bool: whether sorted keys differ from the one before."""
    return np.concatenate([[True], keys[1:] != keys[:-1]])
