"""Decodes masks from files, arrays and pictures of Pillow without changing their values.

:mod:`~tempseg_mm.sources.mask_regions` says what the values mean.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from .image_io import DECODER_ERRORS, FORMATS, MOST_PIXELS, UnreadableImageError, opened_image

PALETTES = ('P', 'PA')
KEPT_MODES = ('1', 'L', 'LA', 'P', 'PA', 'RGB', 'RGBA', 'I', 'F')  # other modes are converted to RGB or RGBA
NPY = b'\x93NUMPY'
WHAT_MASKS_ARE = ('a mask is white on black, or has a number or a flat colour for each object, saved as PNG; or it is '
                  'a cut-out with transparent surroundings')


class MaskValueError(ValueError):
    """Raised for a mask that was decoded, but whose values make no sense."""


@dataclass(frozen=True)
class StoredMask:
    """A mask as it was stored.

    Attributes:
        pixels: (H, W) of any type for one channel or palette indices; (H, W, 3) uint8 for RGB.
        alpha: (H, W) uint8; ``None`` without alpha.
        palette: (256, 3) uint8 RGB, the colours of the indices in ``pixels``; ``None`` without a palette.
        lossy: whether compression may have changed values (JPEG).
        source: text that names the mask in messages.
    """
    pixels: np.ndarray
    alpha: np.ndarray | None = None
    palette: np.ndarray | None = None
    lossy: bool = False
    source: str = 'the array given as mask'

    @property
    def levels(self) -> np.ndarray:
        """Pixels, (H, W) or (H, W, 3), with palette indices replaced by colours and bits by 0 and 255."""
        if self.palette is not None:
            return self.palette[self.pixels]
        return self.pixels * np.uint8(255) if self.pixels.dtype == bool else self.pixels

    @property
    def is_cut_out(self) -> bool:
        """True if alpha marks the object, because it varies or is 0 everywhere."""
        return self.alpha is not None and bool(self.alpha.min() != self.alpha.max() or self.alpha.max() == 0)

    def above(self, threshold: int) -> np.ndarray:
        """Return the object by a threshold, for data sets that define one, without interpreting the values.

        Returns:
            (H, W) uint8: 1 where any channel (alpha, if :attr:`is_cut_out`) is above ``threshold``, else 0.
        """
        levels = self.alpha if self.is_cut_out else self.levels
        chosen = levels > threshold
        return (chosen if chosen.ndim == 2 else chosen.any(axis=-1)).astype(np.uint8)


def stored_mask(mask: Any) -> StoredMask:
    """Convert a mask in any accepted form.

    Args:
        mask: a file (see :func:`decode_mask`), a picture of Pillow, or an array, a tensor or nested lists: (H, W),
            (H, W, 1) or (1, H, W) for one channel, (H, W, 2) for gray and alpha, (H, W, 3) for RGB, (H, W, 4) for RGBA.

    Raises:
        FileNotFoundError, UnreadableImageError: see :func:`decode_mask`.
        MaskValueError: if the shape or type is another one.
    """
    if isinstance(mask, (str, os.PathLike)):
        return decode_mask(mask)
    if isinstance(mask, Image.Image):
        return _from_picture(mask, 'the picture given as mask')
    if not hasattr(mask, '__array__') and not (isinstance(mask, Sequence) and len(mask) and
                                               all(isinstance(row, Sequence) for row in mask)):
        raise MaskValueError(f'a mask must be a file or an array of numpy, got {type(mask).__name__}')
    try:
        return _from_array(np.asarray(mask), 'the array given as mask')
    except (TypeError, RuntimeError) as error:  # ragged lists, tensors on a GPU
        raise MaskValueError(f'the {type(mask).__name__} given as mask cannot be converted to an array: {error}'
                             ) from error


def decode_mask(path: str | os.PathLike) -> StoredMask:
    """Decode a mask file: ``.npy``, or an image with one picture of at most 2^26 pixels (``image_io.FORMATS``).

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: if it cannot be decoded, is too large, or holds several pictures.
        MaskValueError: if the array has a shape or type that masks do not have.
    """
    path = os.fspath(path)
    if path.lower().endswith(('.npy', '.npz')) and os.path.isfile(path):
        return _from_array(_load_npy(path), f'mask {path}')
    with opened_image(path, 'mask', (*FORMATS, 'GIF')) as image:  # OpenCV would replace palettes by colours
        return _from_picture(image, f'mask {path}')


def _from_picture(image: Image.Image, source: str) -> StoredMask:
    lossy, alpha = image.format == 'JPEG', None
    if image.mode in PALETTES:
        palette = np.zeros((256, 3), np.uint8)
        colors = np.array(image.getpalette('RGB'), np.uint8)
        palette[:len(colors) // 3] = colors.reshape(-1, 3)
        pixels = np.asarray(image)
        if image.mode == 'PA':
            alpha, pixels = pixels[..., 1], pixels[..., 0]
        elif 'transparency' in image.info:
            alpha = _palette_alpha(image.info['transparency'])[pixels]
        return StoredMask(pixels, alpha, palette, lossy, source)
    if 'transparency' in image.info and image.mode in ('1', 'L', 'RGB'):
        image = image.convert('RGBA' if image.mode == 'RGB' else 'LA')
    elif image.mode not in KEPT_MODES and not image.mode.startswith('I;16'):
        image = image.convert('RGBA' if image.mode.endswith(('A', 'a')) else 'RGB')
    pixels = np.asarray(image.convert('L')) > 0 if image.mode == '1' else np.asarray(image)  # its True bytes are 255
    if image.mode in ('LA', 'RGBA'):
        alpha, pixels = pixels[..., -1], pixels[..., :-1]
    return StoredMask(pixels.reshape(pixels.shape[:2]) if pixels.shape[2:] == (1,) else pixels, alpha, None, lossy,
                      source)


def _palette_alpha(transparency: int | bytes) -> np.ndarray:
    """Return the alpha of each palette index, (256,) uint8."""
    table = np.full(256, 255, np.uint8)
    if isinstance(transparency, bytes):
        table[:len(transparency)] = np.frombuffer(transparency, np.uint8)
    else:
        table[transparency] = 0
    return table


def _load_npy(path: str) -> np.ndarray:
    try:
        array = np.load(path, allow_pickle=False, mmap_mode='r')
    except DECODER_ERRORS as error:
        raise UnreadableImageError(f'mask {path} cannot be read ({error}); it is cut off or no array: save it again '
                                   'with numpy.save') from error
    if not isinstance(array, np.ndarray):
        array.close()
        raise MaskValueError(f'mask {path} is an archive of arrays; save the array of the mask with numpy.save')
    if array.size > 4 * MOST_PIXELS:
        raise UnreadableImageError(f'mask {path} holds {array.size} numbers, but at most {MOST_PIXELS} pixels are read')
    return np.array(array)


def _from_array(array: np.ndarray, source: str) -> StoredMask:
    if array.ndim == 3 and array.shape[0] == 1 and array.shape[2] > 4:
        array = array[0]
    if array.ndim not in (2, 3) or array.shape[2:] > (4,) or array.size == 0:
        raise MaskValueError(f'{source} must be (H, W), (H, W, 3) RGB or (H, W, 4) RGBA, got the shape {array.shape}; '
                             'put several masks into a list')
    pixels = array.reshape(*array.shape[:2], -1)
    if pixels.shape[2] == 1:
        return StoredMask(pixels[..., 0], source=source)
    if pixels.dtype.kind not in 'ui' or pixels.min() < 0 or pixels.max() > 255:
        raise MaskValueError(f'{source}: colours and alpha must be uint8, 0 to 255, got {array.dtype}')
    pixels, alpha = pixels.astype(np.uint8), None
    if pixels.shape[2] in (2, 4):
        alpha, pixels = pixels[..., -1], pixels[..., :-1]
    return StoredMask(pixels[..., 0] if pixels.shape[2] == 1 else pixels, alpha, source=source)
