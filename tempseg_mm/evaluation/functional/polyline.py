"""Thinning and resampling of polylines for the temporal measure."""

import numpy as np


def simplify(points: np.ndarray, tolerance: float) -> np.ndarray:
    """Remove points of a polyline that are too near to the last one kept, then points that hardly bend it.

    The first step is a radial filter: it removes points nearer than ``tolerance`` to the last one kept. The second is
    Douglas and Peucker's algorithm between the first and the last point, with distances to segments; among equally
    distant points it takes the last.

    Args:
        points: (n, 2), n >= 1, one point per row.
        tolerance: in the unit of the points, positive.

    Returns:
        (m, 2), rows of ``points`` in their order, including the first and the last.
    """
    return _douglas_peucker(_radial_filter(points, tolerance), tolerance)


def resample(points: np.ndarray, spacing: float) -> np.ndarray:
    """Cut segments longer than ``spacing`` into equal parts no longer than ``spacing``.

    Args:
        points: (n, 2) floats, n >= 1; the result has the same precision.
        spacing: largest length of a part, positive.

    Returns:
        (m, 2), ``points`` with the new ones in between.
    """
    vectors = np.diff(points, axis=0)
    lengths = np.sqrt((vectors**2).sum(1))
    parts = np.where(lengths > spacing, np.ceil(lengths / spacing), 1).astype(int)
    steps = vectors / parts[:, None].astype(points.dtype)
    # Steps are summed one by one, not multiplied, as in the official code: rounding decides in which angle bin a
    # point falls.
    cuts = np.repeat(steps[:, None], parts.max(initial=1), axis=1)  # [n-1, parts, 2]
    cuts[:, 0] = points[:-1]
    cuts = np.cumsum(cuts, axis=1, dtype=points.dtype)
    wanted = np.arange(cuts.shape[1]) < parts[:, None]
    return np.concatenate([cuts[wanted], points[-1:]])


def _radial_filter(points: np.ndarray, tolerance: float) -> np.ndarray:
    gaps = (np.diff(points, axis=0)**2).sum(1)
    if not (gaps < tolerance**2).any():  # no point is near its predecessor, so none is removed
        return points
    coordinates = points.tolist()
    row, column = coordinates[0]
    kept, last = [0], len(coordinates) - 1
    for i in range(1, last):
        y, x = coordinates[i]
        if (y - row)**2 + (x - column)**2 >= tolerance**2:
            kept.append(i)
            row, column = y, x
    return points[[*kept, last]]


def _douglas_peucker(points: np.ndarray, tolerance: float) -> np.ndarray:
    """Apply Douglas and Peucker's algorithm to all stretches between kept points at once, generation by generation."""
    rows, columns = points[:, 0], points[:, 1]
    last = len(points) - 1
    keep = np.zeros(len(points), bool)
    keep[[0, last]] = True
    begin, end = np.array([0]), np.array([last])
    while True:
        open_ = end - begin > 1
        begin, end = begin[open_], end[open_]
        if not len(begin):
            return points[keep]
        inner = end - begin - 1
        offsets = np.cumsum(inner) - inner
        index = np.arange(inner.sum()) + np.repeat(begin + 1 - offsets, inner)
        a, b = np.repeat(begin, inner), np.repeat(end, inner)
        distance = _squared_distance(rows[index], columns[index], rows[a], columns[a], rows[b], columns[b])
        farthest = np.maximum.reduceat(distance, offsets)
        split = np.maximum.reduceat(np.where(distance == np.repeat(farthest, inner), index, -1), offsets)
        bends = farthest > tolerance**2
        begin, split, end = begin[bends], split[bends], end[bends]
        keep[split] = True
        begin, end = np.concatenate([begin, split]), np.concatenate([split, end])


def _squared_distance(y: np.ndarray, x: np.ndarray, y0: np.ndarray, x0: np.ndarray, y1: np.ndarray,
                      x1: np.ndarray) -> np.ndarray:
    """Return the squared distances, (k,), of points (y, x) from segments.

    The fraction is float32 as in the official code, because ties depend on it.
    """
    dy, dx = y1 - y0, x1 - x0
    along, square = (y - y0) * dy + (x - x0) * dx, dy * dy + dx * dx
    fraction = along.astype(np.float32) / np.where(square > 0, square, 1).astype(np.float32)
    fraction = np.clip(fraction, 0, 1).astype(np.float64)
    return (y - (y0 + fraction * dy))**2 + (x - (x0 + fraction * dx))**2
