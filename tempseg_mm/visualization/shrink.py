"""Smaller pictures and masks, proportions kept. Used by whatever draws frames here; relies on OpenCV's resizing."""

import cv2
import numpy as np


def fit_width(picture: np.ndarray, width: int, *, labels: bool = False) -> np.ndarray:
    """Shrink a picture that is wider than ``width``, keeping its proportions; leave a narrower one alone.

    Args:
        picture: (H, W) or (H, W, C), a type OpenCV can resize; labels may be of any.
        width: pixels.
        labels: take the nearest pixel instead of averaging, for masks of labels.

    Returns:
        (h, w) or (h, w, C) with w at most ``width``.
    """
    return _shrunk(picture, width / picture.shape[1], labels)


def fit_shorter_side(picture: np.ndarray, side: int, *, labels: bool = False) -> np.ndarray:
    """Shrink a picture whose shorter side is longer than ``side``; leave a smaller one alone.

    Args:
        picture: (H, W) or (H, W, C), a type OpenCV can resize; labels may be of any.
        side: pixels.
        labels: take the nearest pixel instead of averaging, for masks of labels.

    Returns:
        (h, w) or (h, w, C) with min(h, w) at most ``side``.
    """
    return _shrunk(picture, side / min(picture.shape[:2]), labels)


def _shrunk(picture: np.ndarray, scale: float, labels: bool) -> np.ndarray:
    if scale >= 1:
        return picture
    height, width = (max(1, round(scale * length)) for length in picture.shape[:2])
    if not labels:
        return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    rows, columns = (((np.arange(new) + 0.5) * old / new).astype(int)
                     for new, old in zip((height, width), picture.shape[:2], strict=True))
    return picture[rows[:, None], columns]
