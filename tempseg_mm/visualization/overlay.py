"""A mask over its frame. Used by the sheets, the video writer and the hooks; relies on OpenCV's contours."""

import cv2
import numpy as np

PREDICTION_COLOR = (255, 64, 64)
GROUND_TRUTH_COLOR = (64, 255, 96)
WHITE = (255, 255, 255)
DARK = (24, 24, 24)


def overlay_mask(image: np.ndarray, mask: np.ndarray, *, color: tuple[int, int, int] = PREDICTION_COLOR,
                 alpha: float = 0.5, contour: bool = True) -> np.ndarray:
    """Tint an object and draw its outline.

    Args:
        image: (H, W, 3) uint8 RGB, left as it is.
        mask: (H, W) bool, 0/1, or probabilities (object above one half).
        color: RGB of the tint.
        alpha: share of the tint, 0 (none) to 1 (opaque).
        contour: whether to draw the outline, white between dark lines: it shows on bright and on dark scenes, and
            where the tint has the object's own colour.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: an image that is not (H, W, 3) uint8, a mask of another size, or an ``alpha`` out of range.
    """
    inside = _inside(image, mask)
    if not 0 <= alpha <= 1:
        raise ValueError(f'alpha must be in [0, 1], got {alpha}')
    tint = np.round((1 - alpha) * image[inside] + alpha * np.asarray(color, np.float32))
    drawn = image.copy()
    drawn[inside] = tint.astype(np.uint8)
    return draw_contour(drawn, mask) if contour else drawn


def draw_contour(image: np.ndarray, mask: np.ndarray, *, color: tuple[int, int, int] = WHITE) -> np.ndarray:
    """Draw the outline of a mask, holes included, as a coloured line between dark ones.

    Args:
        image: (H, W, 3) uint8 RGB, left as it is.
        mask: (H, W) bool, 0/1, or probabilities (object above one half).
        color: RGB of the line.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: as :func:`overlay_mask`.
    """
    inside = _inside(image, mask)
    drawn = np.ascontiguousarray(image).copy()
    outlines, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    width = max(1, round(min(inside.shape) / 160))
    cv2.drawContours(drawn, outlines, -1, DARK, width + 2)
    cv2.drawContours(drawn, outlines, -1, tuple(map(int, color)), width)
    return drawn


def _inside(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(H, W) bool, after a check of both."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f'the image must be (H, W, 3) uint8 RGB, got {image.shape} {image.dtype}')
    if mask.shape != image.shape[:2]:
        raise ValueError(f'the mask is {mask.shape}, its image {image.shape[:2]}; resize one of them first')
    return mask > 0.5
