"""Points of two contours matched in order at the least cost. Called by the temporal measure; NumPy only."""

import numpy as np


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
