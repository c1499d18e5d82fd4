"""Object ids from masks however they were drawn or saved. Called by ``read_given_masks``."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from tempseg_mm.sources.image_io import DECODER_ERRORS, UnreadableImageError, image_size
from tempseg_mm.visualization.palette import color_palette

MAX_VALUES = 20  # more different ones are soft edges or noise, not objects


def read_label_mask(mask: str | os.PathLike | np.ndarray) -> np.ndarray:
    """Which object each pixel of a mask belongs to. The first row that fits applies:

    ============================================================  ==================================================
    what is stored                                                what it means
    ============================================================  ==================================================
    truth values, one bit a pixel                                 true: object 1
    alpha that varies                                             a cut-out: alpha of 128 or more is object 1
    a palette                                                     ids, as stored; 0 and 255 alone: object 1
    colours, red = green = blue everywhere                        as one channel, see below
    colours, all in the palette of DAVIS and PASCAL VOC           the ids of that palette: (128, 0, 0) is 1, ...
    other colours, 20 at most                                     black: background; the rest: 1, 2, ... in the
                                                                  order of (red, green, blue)
    one channel of floats between 0 and 1, not all whole          probabilities: 0.5 or more is object 1
    one channel, 0 and the largest number of its type alone       object 1: 0 and 255, or 0 and 65535
    one channel of a JPEG, or with more than 20 different values  soft edges: half of the largest value or more is
                                                                  object 1
    one channel, anything else                                    ids, as stored: 0 the background, to 255
    ============================================================  ==================================================

    Args:
        mask: a file (PNG, BMP, TIFF, ...; as stored, whatever rotation EXIF notes), or an array: (H, W) or (H, W, 1)
            one channel, (H, W, 2) gray and alpha, (H, W, 3) RGB, (H, W, 4) RGBA.

    Returns:
        (H, W) uint8, 0 the background, 1 to 255 the objects. It may be empty.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: if it cannot be decoded.
        ValueError: more than 20 colours, ids above 255, another shape or type.
    """
    return read_label_masks([mask])[0]


def read_label_masks(masks: Sequence) -> list:
    """As :func:`read_label_mask` for masks of one sequence: a colour means the same object in all of them.

    Args:
        masks: files or arrays.

    Returns:
        (H, W) uint8 of each.

    Raises:
        FileNotFoundError, UnreadableImageError, ValueError: as there, the 20 colours being those of all masks.
    """
    found = [_labels_or_colors(*_load(mask)) for mask in masks]
    colors = np.concatenate([np.zeros(1, np.int64), *(np.unique(pixels) for pixels in found if pixels.ndim == 3)])
    ids = _ids_of(np.unique(colors))
    return [pixels if pixels.ndim == 2 else ids(pixels[..., 0]) for pixels in found]


def _load(mask: str | os.PathLike | np.ndarray) -> tuple[np.ndarray, str, str]:
    """Pixels, the kind of file ('palette', 'lossy' or '') and a name for messages."""
    if isinstance(mask, np.ndarray):
        return mask, '', 'the array given as mask'
    if not isinstance(mask, (str, os.PathLike)):
        raise ValueError(f'a mask is a file or an array of numpy, got {type(mask).__name__}')
    path = str(Path(mask))
    image_size(path)  # has its own words for what is missing or no image
    try:
        with Image.open(path) as image:
            kind = {'P': 'palette', 'PA': 'palette'}.get(image.mode, 'lossy' if image.format == 'JPEG' else '')
            pixels = np.asarray(image.convert('RGB') if image.mode in ('CMYK', 'YCbCr', 'LAB', 'HSV') else image)
    except DECODER_ERRORS as error:
        raise UnreadableImageError(f'mask {path} cannot be decoded ({error}): save it anew as PNG') from error
    return pixels, kind, f'mask {path}'


def _labels_or_colors(pixels: np.ndarray, kind: str, source: str) -> np.ndarray:
    """(H, W) uint8 ids; where ids depend on the other masks, (H, W, 1) int64 colours, red first."""
    if pixels.ndim not in (2, 3) or pixels.shape[2:] > (4,) or pixels.size == 0:
        raise ValueError(f'{source} must be (H, W), (H, W, 3) RGB or (H, W, 4) RGBA, got the shape {pixels.shape}; '
                         'several masks go into a list')
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if pixels.shape[2] > 1 and pixels.dtype != np.uint8:
        raise ValueError(f'{source}: colours and alpha must be uint8, 0 to 255, got {pixels.dtype}')
    if pixels.shape[2] in (2, 4):
        alpha, pixels = pixels[..., -1], pixels[..., :-1]
        if kind != 'palette' and alpha.min() != alpha.max():
            return (alpha >= 128).astype(np.uint8)
    if pixels.shape[2] == 3 and (pixels == pixels[..., :1]).all():
        pixels = pixels[..., :1]
    if pixels.shape[2] == 1:
        return _labels_of_channel(pixels[..., 0], kind, source)
    colors = pixels.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
    _require_few(np.unique(colors), source)
    return colors[..., None]


def _labels_of_channel(pixels: np.ndarray, kind: str, source: str) -> np.ndarray:
    if pixels.dtype == bool:
        return pixels.astype(np.uint8)
    if pixels.dtype.kind == 'f':
        if not (np.isfinite(pixels).all() and pixels.min() >= 0):
            raise ValueError(f'{source} holds negative or non-finite numbers; a mask holds object ids, or '
                             'probabilities between 0 and 1')
        if pixels.max() <= 1:
            return (pixels >= 0.5).astype(np.uint8)
        if (pixels != np.floor(pixels)).any():
            raise ValueError(f'{source} holds fractions and numbers above 1; a mask holds object ids, or '
                             'probabilities between 0 and 1')
        pixels = pixels.astype(np.int64)
    if pixels.dtype.kind not in 'ui':
        raise ValueError(f'{source} must hold truth values or numbers, got {pixels.dtype}')
    values, top = np.unique(pixels), int(pixels.max())
    if set(values.tolist()) <= {0, top} and top in (255, 65535):
        return (pixels == top).astype(np.uint8)
    if values[0] >= 0 and kind != 'palette' and (kind == 'lossy' or len(values) > MAX_VALUES):
        return ((pixels > 0) & (pixels.astype(np.int64) * 2 >= top)).astype(np.uint8)
    if values[0] < 0 or top > 255:
        raise ValueError(f'{source} holds object ids from {values[0]} to {top}; they must be 0 to 255')
    return pixels.astype(np.uint8)


def _require_few(colors: np.ndarray, source: str) -> None:
    if np.count_nonzero(colors) > MAX_VALUES:
        raise ValueError(
            f'{source} holds {np.count_nonzero(colors)} colours besides black; a mask has one flat colour for each '
            f'object, {MAX_VALUES} at most: draw it without soft edges, save it as PNG and not as JPEG, or use white '
            'on black')


def _ids_of(colors: np.ndarray) -> Callable:
    """Maps arrays of colours to ids, uint8, given all the colours there are."""
    _require_few(colors, 'all masks together')
    known = color_palette().astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
    if np.isin(colors, known).all():
        order = np.argsort(known)
        return lambda pixels: order[np.searchsorted(known, pixels, sorter=order)].astype(np.uint8)
    return lambda pixels: np.searchsorted(colors, pixels).astype(np.uint8)
