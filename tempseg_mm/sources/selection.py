"""The mask of an object from a box, clicks on it and beside it, or a mask to refine, from a picture alone.

Called where a person shows an object and has no mask of it: ``--box``, and the page to draw on. Colours decide, by
OpenCV's GrabCut (Rother et al., 2004); where there is a trained network it makes the first guess, which is better.
"""

import re
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from tempseg_mm.ops.resize import resize_image, resize_mask, target_size

SURROUNDINGS = 0.25  # how much of the width and height of what is shown GrabCut sees on either side of it,
LEAST_SURROUNDINGS = 16  # and how many pixels at least
LONGEST_SHORT_SIDE = 240  # of the picture it works on, pixels
ROUNDS = 2  # of GrabCut; more change little
SMALLEST_AREA = 16  # pixels there, inside of the box and outside; the colour models need some to learn from
SMALLEST_PART = 0.1  # of the largest part's area
FILLED = 0.9  # of a box's width and height: the ellipse that is taken for the object to begin with,
AROUND_CLICKS = 0.12  # and without a box circles around clicks, whose radius is that share of the shorter side
GUESSES = 3  # from such circles, each from the one before
SURE = 4  # pixels: radius around a click in which the answer is what the click says
UNSURE = 0.3  # of the root of a mask's area: so far on either side of its border it may be wrong,
REACH = 0.5  # and so far around a click it is changed

Click = tuple[int, int, bool]
Guess = Callable[[np.ndarray, np.ndarray], np.ndarray]


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


def select_object(image: np.ndarray, *, box: tuple | None = None, clicks: Sequence[Click] = (),
                  mask: np.ndarray | None = None, guess: Guess | None = None) -> np.ndarray:
    """The object that is shown; docs/annotating.md has figures.

    A box, or clicks where there is no mask yet, lead to a first mask; clicks then change it in places that one of them
    is on. The same arguments give the same mask.

    Args:
        image: (H, W, 3) uint8 RGB.
        box: (x, y, w, h) in pixels: left, top, width, height. It should hold the whole object and a little more.
        clicks: (x, y, inside) each: pixels that belong to the object, or do not.
        mask: (H, W), nonzero where the object is, but for mistakes; not looked at where there is a box.
        guess: takes the image and a rough mask, (H, W) uint8 0 or 1, and returns a better one, such as a network's;
            default, and where it finds nothing: GrabCut's.

    Returns:
        (H, W) uint8, 0 or 1. With a box it is 0 outside of the box, but for clicks.

    Raises:
        ValueError: if nothing is shown; a box that is not within the picture, is all of it, or is too small; if
            nothing, or all of the box, is found to be the object.
    """
    clicks = [(int(x), int(y), bool(inside)) for x, y, inside in clicks]
    inside = [(x, y) for x, y, is_inside in clicks if is_inside]
    if box is not None:
        _check_box(box, image.shape[:2])
        mask = _in_box(image, tuple(map(int, box)), guess)
    elif mask is None or not np.any(mask):
        if not inside:
            raise ValueError('nothing shows where the object is: draw a box around it, or click on it')
        mask = _around_clicks(image, inside, guess)
    mask = (mask > 0).astype(np.uint8)
    return _corrected(image, mask, clicks) if clicks else mask


def _in_box(image: np.ndarray, box: tuple, guess: Guess | None) -> np.ndarray:
    """Of what is found the largest part is kept, and those of at least a tenth of its area."""
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
                     'than the object, or give a mask in place of the box (white on black, of the size '
                     f'{frame_size[1]}x{frame_size[0]}, width x height)')


def _around_clicks(image: np.ndarray, places: list, guess: Guess | None) -> np.ndarray:
    """Of what is found the parts are kept that a click is on."""
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
    """A mask changed around clicks: elsewhere it was right, or somebody would have clicked there.

    A part of its own that a click says is none of the object goes as a whole.
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
    """A mask less those connected parts, the largest apart, that were clicked as outside and not as inside."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()) if len(stats) > 1 else 0
    kept = {0, largest, *(int(parts[y, x]) for x, y, inside in clicks if inside)}
    wrong = {int(parts[y, x]) for x, y, inside in clicks if not inside} - kept
    return np.where(np.isin(parts, list(wrong)), 0, mask).astype(np.uint8)


def _grab_cut(image: np.ndarray, marks: np.ndarray, box: tuple | None = None) -> np.ndarray:
    """GrabCut on the surroundings of a box, or on all of the picture, made smaller.

    Args:
        image: (H, W, 3) uint8 RGB.
        marks: (H, W) uint8: OpenCV's, sure and probable object and background.
        box: what is shown; ``None``: the whole frame.

    Returns:
        (H, W) uint8, 0 or 1; beyond the surroundings what the marks say.
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
    cv2.setRNGSeed(0)  # k-means starts at random
    bgr = cv2.cvtColor(resize_image(image[rows, columns], size), cv2.COLOR_RGB2BGR)
    cv2.grabCut(bgr, near, None, np.zeros((1, 65)), np.zeros((1, 65)), ROUNDS, cv2.GC_INIT_WITH_MASK)
    found = np.isin(near, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    whole[rows, columns] = resize_mask(found, shape)
    return whole


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


def _check_room(box: tuple, shape: tuple) -> None:
    area = box[2] * box[3]
    if area < SMALLEST_AREA:
        raise ValueError(f'the box {_text(box)} is too small to find an object in: draw it larger, or give a mask')
    if shape[0] * shape[1] - area < SMALLEST_AREA:
        raise ValueError(f'the box {_text(box)} is the whole frame; what lies around it tells the object apart: draw '
                         'it closer to the object, or give a mask')


def _large_parts(mask: np.ndarray) -> np.ndarray:
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0  # the background
    return np.isin(parts, np.flatnonzero(areas >= max(1, SMALLEST_PART * areas.max()))).astype(np.uint8)


def _touching(mask: np.ndarray, places: list, reach: int) -> np.ndarray:
    """The connected parts of a mask that come within ``reach`` pixels of a place."""
    _, parts = cv2.connectedComponents(mask, connectivity=4)
    touched = {int(part) for x, y in places for part in
               np.unique(parts[max(0, y - reach):y + reach + 1, max(0, x - reach):x + reach + 1])} - {0}
    return np.isin(parts, list(touched)).astype(np.uint8)


def _text(box: tuple) -> str:
    return ','.join(str(int(number)) for number in box)
