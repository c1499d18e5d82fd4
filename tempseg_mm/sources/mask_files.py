"""Files of masks: decoded in one way, and the three meanings that their values have in this project.

Every mask file is opened by :func:`decode_mask`: PNG, BMP, JPEG, PPM, TIFF or WebP, as stored (whatever rotation EXIF
notes), at most 2^26 pixels. What the values mean depends on who asks:

=========================  ========================  ===================  ==============================================
what is stored             data sets: ``read_mask``  scoring:             given by a person: ``read_label_mask`` gives
                           gives 0 and 1             ``read_labels``      ids; the first row that fits applies
                                                     gives ids
=========================  ========================  ===================  ==============================================
one bit a pixel            true: 1                   true: 1              true: 1
alpha                      ignored                   ignored              if it varies, a cut-out: 128 or more is 1
a palette                  not 0: 1; with            ids, as stored       ids, as stored; 0 and 255 alone: 1
                           ``threshold``: as its
                           colours
colours, all gray          not black: 1              not black: 1         as one channel, see below
colours, all in the        not black: 1              not black: 1         the ids of that palette: (128, 0, 0) is 1, ...
palette of DAVIS
other colours              not black: 1              not black: 1         20 at most: black 0, the rest 1, 2, ... in the
                                                                          order of (red, green, blue)
one channel, floats        above 0: 1                refused              probabilities: 0.5 or more is 1; ids if whole
                                                                          and above 1
one channel, 0 and 255,    not 0: 1                  ids, as stored; 16   1
or 0 and 65535                                       bits: refused
one channel of a JPEG, or  not 0: 1                  likewise             soft edges: half of the largest value or more
of more than 20 values                                                    is 1
one channel, other         not 0: 1                  likewise             ids, as stored, to 255
=========================  ========================  ===================  ==============================================

``read_mask`` also takes ``object_id``, and then finds that id and no other, or ``threshold``, and then finds what is
above it in any channel.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tempseg_mm.visualization.palette import color_palette

from .image_io import opened_image

MAX_VALUES = 20  # more different ones are soft edges or noise, not objects
PALETTES = ('P', 'PA')
OTHER_COLORS = ('CMYK', 'YCbCr', 'LAB', 'HSV', 'RGBX')  # modes of Pillow whose black is not 0, or that pad


@dataclass(frozen=True)
class StoredMask:
    """A mask as it was stored.

    Attributes:
        pixels: (H, W) of one channel or a palette; (H, W, C) RGB of colours.
        alpha: (H, W), or ``None`` where there is none.
        kind: 'palette', 'lossy' (JPEG) or ''.
        source: where it comes from, for messages.
    """
    pixels: np.ndarray
    alpha: np.ndarray | None
    kind: str
    source: str


def decode_mask(path: str | os.PathLike, *, as_levels: bool = False) -> StoredMask:
    """Decode a mask file without saying what its values mean: the only way masks get out of files.

    Args:
        path: of the file.
        as_levels: for a threshold: a palette becomes the colours it stands for, one bit becomes 0 and 255.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: if it cannot be decoded, or is larger than 2^26 pixels.
    """
    path = os.fspath(path)
    with opened_image(path, 'mask') as image:  # Pillow keeps the ids of palette files, OpenCV turns them into colours
        kind = 'palette' if image.mode in PALETTES else 'lossy' if image.format == 'JPEG' else ''
        if image.mode in OTHER_COLORS or as_levels and image.mode in (*PALETTES, '1'):
            image = image.convert('RGB')
        bands = image.getbands()
        pixels = np.asarray(image)
    alpha = None
    if bands[-1] in 'Aa':
        alpha, pixels, bands = pixels[..., -1], pixels[..., :-1], bands[:-1]
    return StoredMask(pixels if len(bands) > 1 else pixels.reshape(pixels.shape[:2]), alpha, kind, f'mask {path}')


def read_annotation(path: str, *, as_levels: bool = False) -> np.ndarray:
    """Decode an annotation as stored; what its values mean is left to :func:`object_mask`.

    Alpha is left out: one annotation of DAVIS 2016, ``bear/00077.png``, has such a channel.

    Args:
        path: of the file.
        as_levels: see :func:`decode_mask`, as the errors.

    Returns:
        (H, W) object ids, or gray values, of files with one channel or a palette; (H, W, C) of files in colours.
    """
    return decode_mask(path, as_levels=as_levels).pixels


def object_mask(pixels: np.ndarray, *, object_id: int | None = None, threshold: int | None = None,
                source: str = 'array') -> np.ndarray:
    """Say which pixels of an annotation are object, as data sets have it.

    Args:
        pixels: of :func:`read_annotation`.
        object_id: ``None``: everything but 0 is object, in colours everything but black. Else only pixels of this id.
        threshold: for edges that are soft or noisy: only pixels above it, in any channel, are object.
        source: where the pixels come from, for messages.

    Returns:
        (H, W) uint8, 0 or 1.

    Raises:
        ValueError: if an ``object_id`` is asked of an annotation in colours, which holds no ids, or with a threshold.
    """
    if object_id is not None and threshold is not None:
        raise ValueError(f'annotation {source}: objects are told apart by object_id ({object_id}) or by threshold '
                         f'({threshold}), not by both')
    if object_id is None:
        chosen = pixels > (threshold or 0)
        return (chosen if chosen.ndim == 2 else chosen.any(axis=-1)).astype(np.uint8)
    if pixels.ndim == 3:
        channels = 'RGB' if pixels.shape[-1] == 3 else pixels.shape[-1]
        raise ValueError(f'annotation {source} has the channels {channels} and so no object ids; object {object_id} '
                         'cannot be told from the others: store it with one channel or a palette')
    return (pixels == object_id).astype(np.uint8)


def read_mask(path: str, object_id: int | None = None, *, threshold: int | None = None) -> np.ndarray:
    """Decode an annotation of a data set at its stored size: the first column of the table.

    Args:
        path: of the file.
        object_id: see :func:`object_mask`, as the next.
        threshold: likewise.

    Returns:
        (H, W) uint8, 0 or 1.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: if it cannot be decoded.
        ValueError: if an ``object_id`` is asked of an annotation in colours, which holds no ids, or with a threshold.
    """
    pixels = read_annotation(path, as_levels=threshold is not None)
    return object_mask(pixels, object_id=object_id, threshold=threshold, source=path)


def read_labels(path: str) -> np.ndarray:
    """Decode a mask with its object ids, as scoring has it: the second column of the table.

    Returns:
        (H, W) uint8, 0 the background.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: if it cannot be decoded.
        ValueError: if it holds more than 8 bits a pixel.
    """
    pixels = read_annotation(path)
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8)
    if pixels.dtype != np.uint8:
        raise ValueError(f'mask {path} holds {pixels.dtype}; object ids have 8 bits')
    return pixels if pixels.ndim == 2 else pixels.any(-1).astype(np.uint8)


def read_label_mask(mask: str | os.PathLike | np.ndarray) -> np.ndarray:
    """Say which object each pixel of a given mask belongs to: the third column of the table.

    Args:
        mask: a file, or an array: (H, W) or (H, W, 1) one channel, (H, W, 2) gray and alpha, (H, W, 3) RGB, (H, W, 4)
            RGBA.

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
    found = [_labels_or_colors(_stored(mask)) for mask in masks]
    colors = np.concatenate([np.zeros(1, np.int64), *(np.unique(pixels) for pixels in found if pixels.ndim == 3)])
    ids = _ids_of(np.unique(colors))
    return [pixels if pixels.ndim == 2 else ids(pixels[..., 0]) for pixels in found]


def _stored(mask: str | os.PathLike | np.ndarray) -> StoredMask:
    if isinstance(mask, (str, os.PathLike)):
        return decode_mask(Path(mask))
    if not isinstance(mask, np.ndarray):
        raise ValueError(f'a mask is a file or an array of numpy, got {type(mask).__name__}')
    source = 'the array given as mask'
    if mask.ndim not in (2, 3) or mask.shape[2:] > (4,) or mask.size == 0:
        raise ValueError(f'{source} must be (H, W), (H, W, 3) RGB or (H, W, 4) RGBA, got the shape {mask.shape}; '
                         'several masks go into a list')
    pixels = mask.reshape(*mask.shape[:2], -1)
    if pixels.shape[2] > 1 and pixels.dtype != np.uint8:
        raise ValueError(f'{source}: colours and alpha must be uint8, 0 to 255, got {pixels.dtype}')
    alpha = None
    if pixels.shape[2] in (2, 4):
        alpha, pixels = pixels[..., -1], pixels[..., :-1]
    return StoredMask(pixels, alpha, '', source)


def _labels_or_colors(mask: StoredMask) -> np.ndarray:
    """(H, W) uint8 ids; where ids depend on the other masks, (H, W, 1) int64 colours, red first."""
    if mask.alpha is not None and mask.kind != 'palette' and mask.alpha.min() != mask.alpha.max():
        return (mask.alpha >= 128).astype(np.uint8)
    pixels = mask.pixels.reshape(*mask.pixels.shape[:2], -1)
    if pixels.shape[2] == 1 or (pixels == pixels[..., :1]).all():
        return _labels_of_channel(pixels[..., 0], mask.kind, mask.source)
    colors = pixels.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
    _require_few(np.unique(colors), mask.source)
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
