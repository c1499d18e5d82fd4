"""Drawing of masks over their frame, or use as its alpha. Used by sheets, video writers and exports."""

import cv2
import numpy as np

from .palette import object_colors

GROUND_TRUTH_COLOR = (64, 255, 96)
WHITE = (255, 255, 255)
DARK = (24, 24, 24)


def overlay_mask(image: np.ndarray, mask: np.ndarray, *, color: tuple[int, int, int] | None = None,
                 alpha: float = 0.5, contour: bool = True) -> np.ndarray:
    """Tint objects and draw their outlines.

    Args:
        image: (H, W, 3) uint8 RGB, left unchanged.
        mask: (H, W): integers are object ids, 0 to 255, 0 the background; bool is one object; floats are the
            probability of one object, which is drawn where it is above one half.
        color: RGB of the tint; default: each object's colour from
            :func:`~tempseg_mm.visualization.palette.object_colors`.
        alpha: share of the tint, 0 (none) to 1 (opaque).
        contour: draw the outlines, white between dark lines. They are visible on bright and dark scenes, and where the
            tint resembles the object's own colour.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: if the image is not (H, W, 3) uint8, if the mask has another size or other ids, or if ``alpha`` is
            out of range.
    """
    labels = _labels(image, mask)
    if not 0 <= alpha <= 1:
        raise ValueError(f'alpha must be in [0, 1], got {alpha}')
    inside = labels > 0
    colors = object_colors()[labels[inside]] if color is None else np.asarray(color)
    tint = np.round((1 - alpha) * image[inside] + alpha * colors.astype(np.float32))
    drawn = image.copy()
    drawn[inside] = tint.astype(np.uint8)
    return draw_contour(drawn, labels) if contour else drawn


def draw_contour(image: np.ndarray, mask: np.ndarray, *, color: tuple[int, int, int] = WHITE) -> np.ndarray:
    """Draw the outline of every object, including its holes, as a coloured line between dark ones.

    Args:
        image: (H, W, 3) uint8 RGB, left unchanged.
        mask: (H, W), see :func:`overlay_mask`.
        color: RGB of the lines.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: as :func:`overlay_mask`.
    """
    labels = _labels(image, mask)
    drawn = np.ascontiguousarray(image).copy()
    outlines = [line for object_id in np.flatnonzero(np.bincount(labels.ravel())) if object_id
                for line in cv2.findContours((labels == object_id).astype(np.uint8), cv2.RETR_CCOMP,
                                             cv2.CHAIN_APPROX_NONE)[0]]
    width = max(1, round(min(labels.shape) / 160))
    cv2.drawContours(drawn, outlines, -1, DARK, width + 2)
    cv2.drawContours(drawn, outlines, -1, tuple(map(int, color)), width)
    return drawn


def cut_out(image: np.ndarray, mask: np.ndarray, *, margin: int = 16) -> np.ndarray:
    """Add the mask to an image as its alpha.

    Args:
        image: (H, W, 3) uint8 RGB, left unchanged.
        mask: (H, W), see :func:`overlay_mask`; all objects together.
        margin: pixels around the objects that keep their colours, so that compression and scaling do not mix other
            colours into the edge. Beyond them the image is black.

    Returns:
        (H, W, 4) uint8 RGBA, straight: alpha is 255 where an object is, else 0.

    Raises:
        ValueError: as :func:`overlay_mask`.
    """
    inside = (_labels(image, mask) > 0).astype(np.uint8)
    near = cv2.dilate(inside, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8))
    return np.dstack([image * near[..., None], inside * 255])


def _labels(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return (H, W) uint8 object ids after a check of image and mask."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f'the image must be (H, W, 3) uint8 RGB, got {image.shape} {image.dtype}')
    if mask.shape != image.shape[:2]:
        raise ValueError(f'the mask is {mask.shape} and its image {image.shape[:2]}; resize one of them first')
    if mask.dtype.kind == 'f':
        mask = mask > 0.5
    elif mask.dtype.kind not in 'bu' or mask.dtype.itemsize > 1:
        if mask.size and not 0 <= mask.min() <= mask.max() <= 255:
            raise ValueError(f'object ids must be 0 to 255, got {mask.min()} to {mask.max()}')
    return mask.astype(np.uint8, copy=False)
