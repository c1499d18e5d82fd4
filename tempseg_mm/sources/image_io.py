"""Open image files and decode frames; ``stored_mask`` decodes masks. Every fault names the file and the way out."""

import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image

from tempseg_mm.ops.resize import Size, resize_image, target_size

FORMATS = ('BMP', 'JPEG', 'PNG', 'PPM', 'TIFF', 'WEBP')  # not EPS: Pillow would have Ghostscript run it
MOST_PIXELS = 2 ** 26  # 8192x8192; decoded, a file of a few kilobytes could otherwise fill the memory
# What Pillow's decoders raise on broken files; some are no OSError.
DECODER_ERRORS = (OSError, ValueError, SyntaxError, LookupError, TypeError, ArithmeticError, EOFError, struct.error,
                  zlib.error, Image.DecompressionBombError)
REDUCED_FLAGS = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}


class UnreadableImageError(OSError):
    """A file that exists but cannot be decoded as an image."""


_MISSING = dict(image='the sequence is incomplete: unpack or copy it again', mask='check the path')
_BROKEN = dict(image='restore it from the original archive, or leave its sequence out',
               mask='restore it, or save it again as PNG')


def _unreadable(path: str, reason: object, kind: str = 'image') -> OSError:
    if not os.path.exists(path):
        return FileNotFoundError(f'{kind} {path} does not exist; {_MISSING[kind]}')
    return UnreadableImageError(f'{kind} {path} cannot be decoded ({reason}); it is truncated or not an image: '
                                f'{_BROKEN[kind]}')


@contextmanager
def opened_image(path: str, kind: str = 'image', formats: tuple = FORMATS) -> Iterator[Image.Image]:
    """Open an image file with Pillow and read its header; every reader of frames and masks goes through here.

    Args:
        path: a file of one of ``formats``, whatever its suffix, of at most :data:`MOST_PIXELS` pixels.
        kind: 'image' or 'mask', for messages.
        formats: names of Pillow's formats.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: whatever is wrong with it, also where that shows only while the block decodes it.
    """
    try:
        with Image.open(path, formats=formats) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise ValueError(f'it claims {width}x{height} pixels, more than {MOST_PIXELS} are not read')
            yield image
    except DECODER_ERRORS as error:
        raise _unreadable(path, error, kind) from error


@lru_cache(maxsize=100_000)
def image_size(path: str) -> tuple:
    """(H, W) of an image file from its header alone; remembered per path.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: if it is no image, or one of more than 2^26 pixels.
    """
    with opened_image(path) as image:
        return image.size[::-1]


def read_image(path: str, size: Size = None) -> np.ndarray:
    """Decodes an image.

    A JPEG is decoded straight to a half, a quarter or an eighth when ``size`` is no larger than that and
    the factor divides both sides.

    Args:
        path: JPEG, PNG, BMP, PPM or WebP.
        size: see :func:`~tempseg_mm.ops.resize.target_size`.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: if it cannot be decoded.
    """
    stored = image_size(path)
    size = target_size(size, stored)
    flag = cv2.IMREAD_COLOR
    if path.lower().endswith(('.jpg', '.jpeg')):
        factors = [factor for factor in REDUCED_FLAGS
                   # A side that the factor does not divide is rounded up, which would shift pixels against the mask.
                   if all(full % factor == 0 and full >= wanted * factor for full, wanted in zip(stored, size))]
        flag = REDUCED_FLAGS[max(factors)] if factors else flag
    try:
        encoded = np.fromfile(path, np.uint8)  # OpenCV 5 crashes on names that are no text
        image = cv2.imdecode(encoded, flag | cv2.IMREAD_IGNORE_ORIENTATION)  # masks know nothing of EXIF rotation
    except (OSError, cv2.error) as error:
        raise _unreadable(path, error) from error
    if image is None or flag == cv2.IMREAD_COLOR and image.shape[:2] != stored:
        raise _unreadable(path, 'OpenCV found no pixels, or not as many as the header says')
    return cv2.cvtColor(resize_image(image, size), cv2.COLOR_BGR2RGB)


def verify_image(path: str) -> None:
    """Decodes a whole file and throws the pixels away, which finds the truncated JPEG that OpenCV fills up with gray.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: if it cannot be decoded to its end.
    """
    with opened_image(path) as image:
        image.draft(None, tuple(side // 8 for side in image.size))  # reads all of a JPEG, but transforms less
        image.load()


def to_rgb8(image: np.ndarray, source: str = 'frame') -> np.ndarray:
    """A picture as the frame it stands for.

    Args:
        image: (H, W) or (H, W, 1) gray, (H, W, 3) RGB or (H, W, 4) RGBA, whose alpha is left out; uint8, or uint16,
            of which x becomes x / 257, rounded: 65535 becomes 255.
        source: what it is, for messages.

    Returns:
        (H, W, 3) uint8 RGB, contiguous; of the same memory where ``image`` is that.

    Raises:
        ValueError: another type, shape or number format, floats among them.
    """
    if not isinstance(image, np.ndarray):
        raise ValueError(f'{source} must be an array of numpy, (H, W, 3) uint8 RGB; got {type(image).__name__}')
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)) or image.size == 0:
        raise ValueError(f'{source} must be (H, W, 3) RGB, (H, W, 4) RGBA or gray, (H, W) or (H, W, 1); got the shape '
                         f'{image.shape}{_transposed(image.shape)}')
    if image.dtype not in (np.uint8, np.uint16):
        raise ValueError(f'{source} must hold uint8, 0 to 255, or uint16; got {image.dtype}{_conversion(image.dtype)}')
    if image.dtype == np.uint16:
        image = ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if image.ndim == 2 or image.shape[2] == 1:
        return np.repeat(image.reshape(*image.shape[:2], 1), 3, axis=2)
    return np.ascontiguousarray(image[..., :3])


def _transposed(shape: tuple) -> str:
    is_channels_first = len(shape) == 3 and shape[0] in (1, 3, 4)
    return ': image.transpose(1, 2, 0) puts the channels last' if is_channels_first else ''


def _conversion(dtype: np.dtype) -> str:
    if dtype.kind == 'f':
        return ': of 0.0 to 1.0, take (image * 255).round().astype(np.uint8)'
    return ': image.astype(np.uint8), if its values are 0 to 255'
