"""Resizing of images, masks and flow, with the same rules for files, transforms, pictures and networks.

Sizes are (H, W) in pixels throughout.
"""

import cv2
import numpy as np
import torch.nn.functional as F
from torch import Tensor

Size = int | tuple | None


def target_size(size: Size, stored: tuple) -> tuple:
    """Return the (H, W) that a ``size`` argument stands for.

    Args:
        size: ``None``: the stored size; (H, W): that size; an int: length of the shorter side, and the longer one
            follows in proportion (rounded).
        stored: (H, W) as stored.

    Raises:
        ValueError: for anything else, or sizes below 1.
    """
    if size is None:
        return tuple(stored)
    if isinstance(size, (int, np.integer)) and not isinstance(size, bool) and size >= 1:
        factor = size / min(stored)
        return tuple(int(size) if side == min(stored) else round(side * factor) for side in stored)
    if isinstance(size, (tuple, list)) and len(size) == 2 and all(int(side) == side >= 1 for side in size):
        return int(size[0]), int(size[1])
    raise ValueError(f'size must be None, the shorter side as an int, or (height, width), all at least 1; got {size!r}')


def _shrinks(stored: tuple, size: tuple) -> bool:
    return size[0] * size[1] < stored[0] * stored[1]


def resize_image(image: np.ndarray, size: tuple) -> np.ndarray:
    """Resize (H, W, 3) uint8 to ``size``: by area means when shrinking, linearly when growing."""
    if image.shape[:2] == tuple(size):
        return image
    interpolation = cv2.INTER_AREA if _shrinks(image.shape[:2], size) else cv2.INTER_LINEAR
    return cv2.resize(image, size[::-1], interpolation=interpolation)


def resize_mask(mask: np.ndarray, size: tuple) -> np.ndarray:
    """Resize an (H, W) uint8 0/1 mask to ``size``.

    When shrinking, a pixel is 1 if the object covers at least half of it. When growing, the nearest pixel counts.
    """
    if mask.shape == tuple(size):
        return mask
    if not _shrinks(mask.shape, size):
        return cv2.resize(mask, size[::-1], interpolation=cv2.INTER_NEAREST)
    covered = cv2.resize(mask.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA)
    return (covered >= 0.5).astype(np.uint8)


def resize_flow(flow: np.ndarray, size: tuple) -> np.ndarray:
    """Resize (H, W, 2) float32 flow to ``size`` and scale its vectors, so that they stay in pixels of the new size."""
    height, width = flow.shape[:2]
    if (height, width) == tuple(size):
        return flow
    interpolation = cv2.INTER_AREA if _shrinks((height, width), size) else cv2.INTER_LINEAR
    scale = np.array([size[1] / width, size[0] / height], np.float32)
    return cv2.resize(flow, size[::-1], interpolation=interpolation) * scale


def fit_width(picture: np.ndarray, width: int, *, labels: bool = False) -> np.ndarray:
    """Shrink a picture to ``width`` in proportion if it is wider; return a narrower one as it is.

    Args:
        picture: (H, W) or (H, W, C), of a dtype that OpenCV can resize; labels may have any dtype.
        width: pixels.
        labels: take the nearest pixel instead of an average. Use it for masks of labels.

    Returns:
        (h, w) or (h, w, C) with w at most ``width``.
    """
    return _shrunk(picture, width / picture.shape[1], labels)


def fit_shorter_side(picture: np.ndarray, side: int, *, labels: bool = False) -> np.ndarray:
    """Shrink a picture in proportion if its shorter side is longer than ``side`` pixels; return a smaller one as it is.

    ``picture`` and ``labels`` are as for :func:`fit_width`. The result has min(h, w) at most ``side``.
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


def pad_to_multiple(images: Tensor, multiple: int, *, least: int = 1) -> Tensor:
    """Repeat the last row and column until both sides fit. Pixels keep their (x, y), so flow need only be cropped.

    Args:
        images: (N, C, H, W) float.
        multiple: both sides become multiples of it.
        least: least length of a side.

    Returns:
        (N, C, H', W'), H' >= H, W' >= W; ``images`` itself if it fits.
    """
    bottom, right = (-(-max(side, least) // multiple) * multiple - side for side in images.shape[2:])
    return F.pad(images, (0, right, 0, bottom), mode='replicate') if bottom or right else images
