"""Decodes segmentations of COCO JSON into arrays: run lengths, compressed or plain, and polygons.

Files are untrusted, so every number is checked here: pycocotools reads beyond its buffer if run lengths are too short,
and takes four numbers for a box. It is used only to fill polygons.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .image_io import MOST_PIXELS

WHAT_REGIONS_ARE = ('a segmentation is run lengths, {"size": [height, width], "counts": ...}, or polygons, '
                    '[[x, y, x, y, x, y, ...], ...]')
FAR = 2  # a coordinate may lie between -1 and this many image sides; points farther outside are an error, not a slip


def region_size(segmentation: Any) -> tuple[int, int] | None:
    """Return the (H, W) that a segmentation states; ``None`` if it states none, as polygons do."""
    size = segmentation.get('size') if isinstance(segmentation, Mapping) else None
    is_size = isinstance(size, Sequence) and len(size) == 2 and all(map(_is_count, size))
    return tuple(size) if is_size and min(size) > 0 else None


def region_mask(segmentation: Any, size: tuple[int, int]) -> np.ndarray:
    """Decode a segmentation.

    Args:
        segmentation: the value in the JSON: a mapping with ``size`` and ``counts`` (compressed text or a list), a list
            of polygons, or a single polygon.
        size: (H, W) of the image.

    Returns:
        (H, W) bool.

    Raises:
        ValueError: if the segmentation is broken. The message is a predicate; the caller puts the subject before it.
    """
    if size[0] * size[1] > MOST_PIXELS:
        raise ValueError(f'has an image of {size[1]}x{size[0]} pixels, but at most {MOST_PIXELS} pixels are read')
    if isinstance(segmentation, Mapping):
        return _of_runs(segmentation, size)
    if isinstance(segmentation, list) and segmentation:
        return _of_polygons(segmentation if isinstance(segmentation[0], list) else [segmentation], size)
    raise ValueError(f'has no region; {WHAT_REGIONS_ARE}')


def _of_runs(code: Mapping, size: tuple[int, int]) -> np.ndarray:
    stated, counts = region_size(code), code.get('counts')
    if stated is None:
        raise ValueError(f'has run lengths with the size {code.get("size")!r}; {WHAT_REGIONS_ARE}')
    if stated != tuple(size):
        raise ValueError(f'has run lengths of {stated[0]}x{stated[1]} (height x width), but its image is '
                         f'{size[0]}x{size[1]}: one of the two sizes is wrong')
    if isinstance(counts, str):
        counts = _unpacked(counts)
    if not isinstance(counts, list) or not all(map(_is_count, counts)):
        raise ValueError(f'has broken run lengths; {WHAT_REGIONS_ARE}')
    height, width = size
    if sum(counts) != height * width:
        raise ValueError(f'has broken run lengths: they cover {sum(counts)} pixels of {height * width}; export the '
                         'file again')
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(width, height).T


def _unpacked(text: str) -> list[int]:
    """Decode compressed run lengths.

    Each character holds five bits of a number and a bit that says whether the number goes on. From the fourth number
    on, a number is the difference from the one two places before it.

    Raises:
        ValueError: if the text is no such code.
    """
    counts: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 60:
            raise ValueError(f'has broken run lengths: {character!r} cannot be in them; export the file again')
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            value -= (bits & 16) << shift - 4  # its highest bit is the sign
            counts.append(value + counts[-2] if len(counts) > 2 else value)
            value = shift = 0
    if shift:
        raise ValueError('has broken run lengths: they are cut off; export the file again')
    return counts


def _of_polygons(polygons: list, size: tuple[int, int]) -> np.ndarray:
    from pycocotools import mask as rle

    height, width = size
    for polygon in polygons:
        if not isinstance(polygon, list) or not all(_is_number(value) for value in polygon):
            raise ValueError(f'has a polygon that is not a list of numbers; {WHAT_REGIONS_ARE}')
        if len(polygon) < 6 or len(polygon) % 2:
            raise ValueError(f'has a polygon of {len(polygon)} numbers; a polygon needs x and y of three points or '
                             'more')
        outside = [(x, y) for x, y in zip(polygon[::2], polygon[1::2], strict=True)
                   if not (-width <= x <= FAR * width and -height <= y <= FAR * height)]
        if outside:
            raise ValueError(f'has a point {outside[0]} far outside of its image, which is {width} pixels wide and '
                             f'{height} high: coordinates must be pixels')
    code = rle.merge(rle.frPyObjects(polygons, height, width))
    return _of_runs(dict(code, counts=code['counts'].decode()), size)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
