"""Masks that the tests of readers draw, in every encoding."""

import cv2
import numpy as np
from PIL import Image

from tempseg_mm.visualization.palette import color_palette

SIZE = HEIGHT, WIDTH = 60, 80
COLORS = np.array([(0, 0, 0), (255, 0, 0), (0, 0, 255), (0, 255, 0), (255, 255, 0), (255, 0, 255), (0, 255, 255)],
                  np.uint8)


def disc(value=255, radius=20, center=(40, 30), size=SIZE):
    """(H, W) uint8, a disc of ``value`` on 0."""
    return cv2.circle(np.zeros(size, np.uint8), center, radius, value, -1)


def blocks(count, size=(240, 320)):
    """(H, W) uint8, ``count`` separate rectangles with the ids 1, 2, ...."""
    ids = np.zeros(size, np.uint8)
    across = int(np.ceil(np.sqrt(count)))
    height, width = size[0] // across, size[1] // across
    for i in range(count):
        top, left = i // across * height, i % across * width
        ids[top + 3:top + height - 3, left + 3:left + width - 3] = i + 1
    return ids


def smoothed(pixels):
    """A mask with the soft edges of a paint program: drawn four times as large and shrunk."""
    large = cv2.resize(pixels, None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
    return cv2.resize(np.roll(large, (2, 1), (0, 1)), pixels.shape[1::-1], interpolation=cv2.INTER_AREA)


def save(path, pixels, palette=None, **options):
    """Write pixels with Pillow; returns the path."""
    image = Image.fromarray(pixels)
    if palette is not None:
        image.putpalette(np.asarray(palette, np.uint8).tobytes())
    image.save(path, **options)
    return path


def davis_png(path, ids):
    """Write ids with the palette of DAVIS."""
    return save(path, ids, color_palette())


def cut_out(ids, below):
    """(H, W, 4) uint8: the colours ``below``, transparent where ids are 0."""
    return np.dstack([below, np.where(ids > 0, 255, 0).astype(np.uint8)])


def scene(size=SIZE, seed=0):
    """(H, W, 3) uint8, something like a photograph: shades everywhere, and noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(30, 220, (6, 8, 3), np.uint8)
    picture = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC).astype(float)
    return (picture + rng.normal(0, 8, picture.shape)).clip(0, 255).astype(np.uint8)
