"""Finds the value of a mask that is the background: 0 or black, unless another value surrounds everything."""

import numpy as np


def surrounding(index: np.ndarray) -> int | None:
    """Return the value in all four corners and three quarters or more of the border of (H, W); ``None`` without one."""
    value = index[0, 0]
    if not value == index[0, -1] == index[-1, 0] == index[-1, -1]:
        return None
    border = border_of(index)
    return int(value) if np.count_nonzero(border == value) >= 0.75 * border.size else None


def border_of(index: np.ndarray) -> np.ndarray:
    """Return the outermost pixels of (H, W) as a flat array."""
    return np.concatenate([index[0], index[-1], index[1:-1, 0], index[1:-1, -1]])


def background_color(index: np.ndarray, colors: np.ndarray) -> int | None:
    """Find the background colour: the one that surrounds everything, else black, else one on half of the border.

    Args:
        index: (H, W) positions in ``colors``.
        colors: (n, 3) uint8 RGB.

    Returns:
        Its position in ``colors``; ``None`` if no colour qualifies.
    """
    around = surrounding(index)
    used = np.unique(index)
    if around is not None and len(used) > 1:
        return around
    black = [int(i) for i in used if colors[i].max() <= 8]
    if black or len(used) == 1:
        return black[0] if black else None
    border = np.bincount(border_of(index))
    return int(border.argmax()) if border.max() * 2 >= border.sum() else None
