"""Makes the mask of an object in one picture from a box, from clicks, or from a mask that clicks correct.

``--box`` and the annotation page use it. OpenCV's GrabCut (Rother et al., 2004) decides by colours. A trained network,
if there is one, makes a better first guess.
"""

import re
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from tempseg_mm.ops.resize import resize_image, resize_mask, target_size

SURROUNDINGS = 0.25  # GrabCut sees this share of the box's width and height on each side of the box,
LEAST_SURROUNDINGS = 16  # but at least this many pixels
LONGEST_SHORT_SIDE = 240  # GrabCut works on a picture whose shorter side has at most this many pixels
ROUNDS = 2  # iterations of GrabCut; more change little
SMALLEST_AREA = 16  # GrabCut needs this many pixels inside and outside of the object to learn its colour models
SMALLEST_PART = 0.1  # parts below this share of the largest part's area are dropped
FILLED = 0.9  # the first guess in a box is an ellipse with this share of its width and height
AROUND_CLICKS = 0.12  # without a box it is circles around clicks, with this share of the frame's shorter side as radius
GUESSES = 3  # number of guesses of the network from these circles; each starts from the one before
SURE = 4  # within this radius around a click, in pixels, the result is what the click says
UNSURE = 0.3  # a mask may be wrong up to this share of the square root of its area from its border
REACH = 0.5  # a click changes a mask up to this share of the square root of its area

Click = tuple[int, int, bool]
Guess = Callable[[np.ndarray, np.ndarray], np.ndarray]


def parse_box(text: str) -> tuple[tuple, int | None]:
    """Parse ``'x,y,w,h'`` or ``'x,y,w,h@FRAME'``, such as ``'120,40,200,160@7'``.

    Returns:
        (x, y, w, h) in pixels, and the number of the frame; ``None`` without a frame.

    Raises:
        ValueError: if the text is anything else, or the box has no area.
    """
    match = re.fullmatch(r'(\d+),(\d+),(\d+),(\d+)(?:@(\d+))?', re.sub(r'\s', '', text), re.ASCII)
    if match is None:
        raise ValueError(f'a box must be x,y,w,h or x,y,w,h@FRAME in whole pixels (left, top, width, height), such as '
                         f'120,40,200,160@7; got {text!r}')
    *box, frame = match.groups()
    box = tuple(map(int, box))
    if 0 in box[2:]:
        raise ValueError(f'the box {text} has no area: its third and fourth number, width and height, must be positive')
    return box, None if frame is None else int(frame)


def select_object(image: np.ndarray, *, box: tuple | None = None, clicks: Sequence[Click] = (),
                  mask: np.ndarray | None = None, guess: Guess | None = None) -> np.ndarray:
    """Return the mask of the object that a box, clicks or a rough mask shows (figures: docs/annotating.md).

    A box makes a first mask; without box and mask, clicks make it. Clicks then correct the mask near them. The same
    arguments always give the same mask.

    Args:
        image: (H, W, 3) uint8 RGB.
        box: (x, y, w, h) in pixels: left, top, width, height. It should hold the whole object and a little more.
        clicks: (x, y, inside) for pixels that belong to the object (True) or do not (False).
        mask: (H, W), nonzero on the object, with mistakes; ignored if a box is given.
        guess: function that takes the image and a rough mask, (H, W) uint8 0 or 1, and returns a better mask, for
            example from a network. GrabCut is used without it, and if it finds nothing.

    Returns:
        (H, W) uint8, 0 or 1. With a box it is 0 outside of the box, except around clicks.

    Raises:
        ValueError: if nothing shows the object; if the box lies partly outside of the picture, is too small, or is the
            whole picture; if nothing in the box, or all of it, is found to be the object.
    """
    clicks = [(int(x), int(y), bool(inside)) for x, y, inside in clicks]
    inside = [(x, y) for x, y, is_inside in clicks if is_inside]
    if box is not None:
        _check_box(box, image.shape[:2])
        mask = _in_box(image, tuple(map(int, box)), guess)
    elif mask is None or not np.any(mask):
        if not inside:
            raise ValueError('nothing shows the object: draw a box around it, or click on it')
        mask = _around_clicks(image, inside, guess)
    mask = (mask > 0).astype(np.uint8)
    return _corrected(image, mask, clicks) if clicks else mask


def _in_box(image: np.ndarray, box: tuple, guess: Guess | None) -> np.ndarray:
    """Find the object in a box. GrabCut's result keeps its largest part and parts of at least a tenth of its area."""
    x, y, width, height = box
    frame_size = image.shape[:2]
    inside, seed = np.zeros((2, *frame_size), np.uint8)
    inside[y:y + height, x:x + width] = 1
    axes = round(FILLED * width / 2), round(FILLED * height / 2)
    cv2.ellipse(seed, (x + width // 2, y + height // 2), axes, 0, 0, 360, 1, -1)
    _check_room(box, frame_size)
    found = inside * guess(image, seed) if guess else None
    if found is None or not found.any():
        marks = np.where(inside == 0, cv2.GC_BGD, np.where(seed, cv2.GC_PR_FGD, cv2.GC_PR_BGD)).astype(np.uint8)
        found = inside * _large_parts(_grab_cut(image, marks, box))
    if found.any() and (found != inside).any():
        return found
    outcome = 'all of it' if found.any() else 'nothing'
    raise ValueError(f'GrabCut takes {outcome} for the object in the box {_text(box)}: draw the box a little larger '
                     'than the object, or give a mask instead of the box (white on black, with the size '
                     f'{frame_size[1]}x{frame_size[0]}, width x height)')


def _around_clicks(image: np.ndarray, places: list, guess: Guess | None) -> np.ndarray:
    """Find the object at clicks; only parts with a click on or near them are kept."""
    seed = np.zeros(image.shape[:2], np.uint8)
    for place in places:
        cv2.circle(seed, place, max(SURE, round(AROUND_CLICKS * min(seed.shape))), 1, -1)
    found = seed
    for _ in range(GUESSES if guess else 0):
        found = guess(image, found) if found.any() else found
    if not guess or not found.any():
        found = _grab_cut(image, np.where(seed, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8))
    return _touching(found, places, SURE)


def _corrected(image: np.ndarray, mask: np.ndarray, clicks: list) -> np.ndarray:
    """Change a mask around clicks. Elsewhere it is taken as right, because nobody clicked there.

    A separate part that was clicked as outside is removed as a whole.
    """
    mask = _without_parts(mask, clicks)
    band = max(SURE, round(UNSURE * np.sqrt(np.count_nonzero(mask))))
    depth, distance = (cv2.distanceTransform(part, cv2.DIST_L2, 5) for part in (mask, 1 - mask))
    marks = np.where(mask, np.where(depth > band, cv2.GC_FGD, cv2.GC_PR_FGD),
                     np.where(distance > band, cv2.GC_BGD, cv2.GC_PR_BGD)).astype(np.uint8)
    said, near = mask.copy(), np.zeros_like(mask)
    for x, y, inside in clicks:
        cv2.circle(near, (x, y), max(SURE, round(REACH * np.sqrt(np.count_nonzero(mask)))), 1, -1)
        cv2.circle(marks, (x, y), SURE, cv2.GC_FGD if inside else cv2.GC_BGD, -1)
        cv2.circle(said, (x, y), SURE, int(inside), -1)
    rows, columns = np.nonzero(said | mask)
    box = cv2.boundingRect(np.stack([columns, rows], axis=1).astype(np.int32)) if len(rows) else (0, 0, 1, 1)
    found = _grab_cut(image, marks, box)
    changed = _touching((found != mask).astype(np.uint8) & near, [place[:2] for place in clicks], SURE)
    mask = np.where(changed, found, mask)
    for x, y, inside in clicks:
        cv2.circle(mask, (x, y), SURE, int(inside), -1)
    return mask


def _without_parts(mask: np.ndarray, clicks: list) -> np.ndarray:
    """Remove connected parts that were clicked as outside and not as inside, except the largest part."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()) if len(stats) > 1 else 0
    kept = {0, largest, *(int(parts[y, x]) for x, y, inside in clicks if inside)}
    wrong = {int(parts[y, x]) for x, y, inside in clicks if not inside} - kept
    return np.where(np.isin(parts, list(wrong)), 0, mask).astype(np.uint8)


def _grab_cut(image: np.ndarray, marks: np.ndarray, box: tuple | None = None) -> np.ndarray:
    """Run GrabCut on a shrunk picture of a box and its surroundings, or of the whole frame.

    Args:
        image: (H, W, 3) uint8 RGB.
        marks: (H, W) uint8, OpenCV's marks of sure and probable object and background.
        box: (x, y, w, h) in pixels; ``None``: the whole frame.

    Returns:
        (H, W) uint8, 0 or 1; outside of the surroundings, what the marks say.
    """
    frame_size = marks.shape
    whole = np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    x, y, width, height = box or (0, 0, frame_size[1], frame_size[0])
    rows, columns = _around(y, height, frame_size[0]), _around(x, width, frame_size[1])
    shape = whole[rows, columns].shape
    size = target_size(min(LONGEST_SHORT_SIDE, *shape), shape)
    near = cv2.resize(marks[rows, columns], size[::-1], interpolation=cv2.INTER_NEAREST)
    objects = np.isin(near, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if min(np.count_nonzero(objects), np.count_nonzero(~objects)) < SMALLEST_AREA:
        return whole
    cv2.setRNGSeed(0)  # k-means starts from random centres
    bgr = cv2.cvtColor(resize_image(image[rows, columns], size), cv2.COLOR_RGB2BGR)
    cv2.grabCut(bgr, near, None, np.zeros((1, 65)), np.zeros((1, 65)), ROUNDS, cv2.GC_INIT_WITH_MASK)
    found = np.isin(near, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    whole[rows, columns] = resize_mask(found, shape)
    return whole


def _around(start: int, length: int, limit: int) -> slice:
    """Return the range of one axis that GrabCut sees."""
    margin = max(LEAST_SURROUNDINGS, round(SURROUNDINGS * length))
    return slice(max(start - margin, 0), min(start + length + margin, limit))


def _check_box(box: tuple, shape: tuple) -> None:
    if len(box) != 4 or any(int(number) != number for number in box):
        raise ValueError(f'a box must be (x, y, w, h), four whole numbers of pixels; got {box!r}')
    x, y, width, height = box
    if min(x, y) < 0 or min(width, height) < 1 or x + width > shape[1] or y + height > shape[0]:
        raise ValueError(f'the box {_text(box)} is not within the frame, which is {shape[1]} pixels wide and '
                         f'{shape[0]} high')


def _check_room(box: tuple, shape: tuple) -> None:
    area = box[2] * box[3]
    if area < SMALLEST_AREA:
        raise ValueError(f'the box {_text(box)} is too small to find an object in: draw it larger, or give a mask')
    if shape[0] * shape[1] - area < SMALLEST_AREA:
        raise ValueError(f'the box {_text(box)} is the whole frame, but GrabCut needs surroundings to tell the object '
                         'apart: draw it closer to the object, or give a mask')


def _large_parts(mask: np.ndarray) -> np.ndarray:
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0  # the background
    return np.isin(parts, np.flatnonzero(areas >= max(1, SMALLEST_PART * areas.max()))).astype(np.uint8)


def _touching(mask: np.ndarray, places: list, reach: int) -> np.ndarray:
    """Return the connected parts of a mask that come within ``reach`` pixels of a place."""
    _, parts = cv2.connectedComponents(mask, connectivity=4)
    touched = {int(part) for x, y in places for part in
               np.unique(parts[max(0, y - reach):y + reach + 1, max(0, x - reach):x + reach + 1])} - {0}
    return np.isin(parts, list(touched)).astype(np.uint8)


def _text(box: tuple) -> str:
    return ','.join(str(int(number)) for number in box)
