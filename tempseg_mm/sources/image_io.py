"""Opens image files and decodes frames. Every error names the file and the way out.

:mod:`~tempseg_mm.sources.stored_mask` decodes masks.
"""

import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from mmengine.logging import print_log
from PIL import Image, features

from tempseg_mm.ops.resize import Size, resize_image, target_size
from tempseg_mm.runtime.safe_path import natural_order

from .unreadable import SeveralPicturesError, UnreadableImageError, image_fault

__all__ = ['ImageHeader', 'UnreadableImageError', 'bits_used', 'image_header', 'image_size', 'num_pictures',
           'opened_image', 'read_image', 'to_rgb8', 'turned', 'verify_image']

# EPS is left out, because Pillow would run it in Ghostscript.
FORMATS = ('BMP', 'GIF', 'JPEG', 'JPEG2000', 'PNG', 'PPM', 'TIFF', 'WEBP', *(['AVIF'] * features.check('avif')))
DEPTHS = (8, 10, 12, 14, 16)  # numbers of bits that cameras use of 16
PNG = b'\x89PNG'
ONE_PICTURE = ('JPEG', 'MPO')  # formats in which further pictures are only previews or other views from the camera
ORIENTATION, NEW_SUBFILE_TYPE = 0x0112, 254  # tags of EXIF and TIFF
SIDEWAYS = (5, 6, 7, 8)  # orientations that swap height and width
# EXIF orientation -> step along rows and columns; orientations in SIDEWAYS are transposed first.
FLIPS = {1: (1, 1), 2: (1, -1), 3: (-1, -1), 4: (-1, 1), 5: (1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}
TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90}
MOST_PIXELS = 2 ** 26  # 8192x8192; without a limit, a file of a few kilobytes could fill the memory once decoded
# Errors of Pillow's decoders on broken files; not all of them are OSError.
DECODER_ERRORS = (OSError, ValueError, SyntaxError, LookupError, TypeError, ArithmeticError, EOFError, struct.error,
                  zlib.error, Image.DecompressionBombError)
REDUCED_FLAGS = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}


class ImageHeader(NamedTuple):
    """Facts about an image that are known before it is decoded.

    Attributes:
        size: (H, W) of the upright picture.
        turn: EXIF orientation that the decoder does not apply itself, 1 to 8; 1: upright as stored.
    """
    size: tuple
    turn: int


@contextmanager
def opened_image(path: str, role: str = 'image', formats: tuple = FORMATS, *, pictures: bool = False
                 ) -> Iterator[Image.Image]:
    """Open an image file with Pillow and read its header. Every reader of frames and masks uses this function.

    The picture is upright, as viewers show it. If EXIF says that it is turned, it is decoded at once and turned.

    Args:
        path: a file in one of ``formats``, with any suffix and at most :data:`MOST_PIXELS` pixels.
        role: key of :data:`~tempseg_mm.sources.unreadable.ROLES` that says what the file is for, for messages.
        formats: names of Pillow's formats.
        pictures: whether the file may hold several pictures; they are then not turned.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: if the file is broken in any way, also if that shows only while the block decodes it.
    """
    try:
        with Image.open(path, formats=formats) as image:
            _check_header(image, pictures)
            turn = 1 if pictures else _turn_of(image)
            yield image if turn == 1 else _upright(image, turn)
    except DECODER_ERRORS as error:
        raise image_fault(path, error, role) from error


@lru_cache(maxsize=100_000)
def image_header(path: str) -> ImageHeader:
    """Read the header of an image file; the result is cached per path.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: if it is no image, or has more than 2^26 pixels.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            _check_header(image, False)
            turn = _turn_of(image)
            return ImageHeader(image.size if turn in SIDEWAYS else image.size[::-1], turn)
    except DECODER_ERRORS as error:
        raise image_fault(path, error) from error


def image_size(path: str) -> tuple:
    """Return the (H, W) of an image file, upright, from its header; errors as :func:`image_header`."""
    return image_header(path).size


def read_image(path: str, size: Size = None) -> np.ndarray:
    """Decode an image upright.

    A JPEG is decoded directly at a half, a quarter or an eighth of its size, if that is not smaller than ``size`` and
    the factor divides both sides.

    Args:
        path: a file in one of :data:`FORMATS`. A PNG of 16 bits is scaled to 8 bits by the bit depth that the first,
            middle and last PNG of its folder use.
        size: size of the result, see :func:`~tempseg_mm.ops.resize.target_size`; default: as stored.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: if it cannot be decoded.
    """
    header = image_header(path)
    size, stored = target_size(size, header.size), header.size
    flag = cv2.IMREAD_COLOR
    if path.lower().endswith(('.jpg', '.jpeg')):
        factors = [factor for factor in REDUCED_FLAGS
                   # OpenCV rounds up a side that the factor does not divide; pixels would shift against the mask.
                   if all(full % factor == 0 and full >= wanted * factor for full, wanted in zip(stored, size))]
        flag = REDUCED_FLAGS[max(factors)] if factors else flag
    try:
        encoded = np.fromfile(path, np.uint8)  # OpenCV 5 crashes on file names that are no valid text
        # OpenCV applies the EXIF orientation for some formats only.
        image = cv2.imdecode(encoded, flag | cv2.IMREAD_IGNORE_ORIENTATION)
    except (OSError, cv2.error) as error:
        raise image_fault(path, error) from error
    if image is not None and encoded[:4].tobytes() == PNG and encoded[24] == 16:  # OpenCV would take 65535 for white
        image = _eight_bits(path, encoded)
    image = None if image is None else turned(image, header.turn)
    if image is None or flag == cv2.IMREAD_COLOR and image.shape[:2] != stored:
        raise image_fault(path, 'OpenCV found no pixels, or not as many as the header says')
    return cv2.cvtColor(resize_image(image, size), cv2.COLOR_BGR2RGB)


def bits_used(pictures: Iterable[np.ndarray]) -> int:
    """Return the smallest depth of :data:`DEPTHS`, 8 to 16 bits, that holds all values of uint16 pictures."""
    largest = max((int(picture.max(initial=0)) for picture in pictures), default=0)
    return next(bits for bits in DEPTHS if largest < 1 << bits)


def _eight_bits(path: str, encoded: np.ndarray) -> np.ndarray:
    """Decode a PNG of 16 bits to (H, W, 3) uint8 BGR, by the bit depth that the PNGs of its folder use."""
    image = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
    return to_rgb8(image, path, bits=_bits_of_folder(os.path.dirname(path)))


@lru_cache(maxsize=1000)
def _bits_of_folder(folder: str) -> int:
    names = natural_order(name for name in os.listdir(folder or os.curdir) if name.lower().endswith('.png'))
    paths = [os.path.join(folder, names[i]) for i in sorted({0, len(names) // 2, len(names) - 1})]
    pictures = [cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED) for path in paths]
    bits = bits_used(picture for picture in pictures if picture is not None and picture.dtype == np.uint16)
    print_log(f'images in {folder or os.curdir} have 16 bits and use {bits} of them, so {2 ** bits - 1} is white',
              'current')
    return bits


def turned(pixels: np.ndarray, turn: int) -> np.ndarray:
    """Turn stored pixels upright by their EXIF orientation; for example 6 is a quarter turn clockwise."""
    pixels = pixels if turn < 5 else np.swapaxes(pixels, 0, 1)
    rows, columns = FLIPS[turn]
    return np.ascontiguousarray(pixels[::rows, ::columns])


def _check_header(image: Image.Image, pictures: bool) -> None:
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise ValueError(f'its header says {width}x{height} pixels, but at most {MOST_PIXELS} pixels are read')
    count = 1 if pictures else num_pictures(image)
    if count > 1:
        raise SeveralPicturesError(count)


def num_pictures(image: Image.Image) -> int:
    """Return the number of pictures (pages, or frames of an animation) in an opened file, without previews."""
    count = 1 if image.format in ONE_PICTURE else getattr(image, 'n_frames', 1)
    if count > 1 and image.format == 'TIFF':
        first, pages = image.size, 0
        for page in range(count):
            image.seek(page)
            pages += image.size == first and not image.tag_v2.get(NEW_SUBFILE_TYPE, 0) & 1
        image.seek(0)
        return pages
    return count - bool(getattr(image, 'default_image', False)) if count > 1 else count


def _turn_of(image: Image.Image) -> int:
    if image.format == 'TIFF' or 'exif' not in image.info:  # Pillow and OpenCV turn TIFF files themselves
        return 1
    exif = Image.Exif()  # image.getexif() would decode a whole PNG
    try:
        exif.load(image.info['exif'])
        turn = exif.get(ORIENTATION, 1)
    except DECODER_ERRORS:
        return 1  # viewers also show such a file as it is stored
    return turn if turn in FLIPS else 1


def _upright(image: Image.Image, turn: int) -> Image.Image:
    upright = image.transpose(TRANSPOSITIONS[turn])
    upright.format, upright.info = image.format, dict(image.info)
    return upright


def verify_image(path: str) -> None:
    """Decode a whole file without keeping the pixels. This finds truncated JPEGs, which OpenCV fills with gray.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: if it cannot be decoded to its end.
    """
    with opened_image(path, pictures=True) as image:  # pictures=True: the pixels are not used, so do not turn them
        image.draft(None, tuple(side // 8 for side in image.size))  # reads all of a JPEG, but computes fewer pixels
        image.load()


def to_rgb8(image: np.ndarray, source: str = 'frame', *, bits: int = 16) -> np.ndarray:
    """Convert a picture to a frame.

    Args:
        image: (H, W) or (H, W, 1) gray, (H, W, 3) RGB or (H, W, 4) RGBA, uint8 or uint16. Alpha is dropped. Values of
            uint16 are scaled so that 2^bits - 1 becomes 255; larger values become 255, too.
        source: name of the picture, for messages.
        bits: bit depth that a uint16 picture uses.

    Returns:
        (H, W, 3) uint8 RGB, contiguous. It shares memory with ``image`` if that already has this form.

    Raises:
        ValueError: if the type, shape or dtype is another one, such as floats.
    """
    if not isinstance(image, np.ndarray):
        raise ValueError(f'{source} must be an array of numpy, (H, W, 3) uint8 RGB; got {type(image).__name__}')
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)) or image.size == 0:
        raise ValueError(f'{source} must be (H, W, 3) RGB, (H, W, 4) RGBA, or (H, W) or (H, W, 1) gray; got the shape '
                         f'{image.shape}{_transposed(image.shape)}')
    if image.dtype not in (np.uint8, np.uint16):
        raise ValueError(f'{source} must hold uint8, 0 to 255, or uint16; got {image.dtype}{_conversion(image.dtype)}')
    if image.dtype == np.uint16:
        white = (1 << bits) - 1
        image = ((np.minimum(image, white).astype(np.uint32) * 255 + white // 2) // white).astype(np.uint8)
    if image.ndim == 2 or image.shape[2] == 1:
        return np.repeat(image.reshape(*image.shape[:2], 1), 3, axis=2)
    return np.ascontiguousarray(image[..., :3])


def _transposed(shape: tuple) -> str:
    is_channels_first = len(shape) == 3 and shape[0] in (1, 3, 4)
    return ': image.transpose(1, 2, 0) puts the channels last' if is_channels_first else ''


def _conversion(dtype: np.dtype) -> str:
    if dtype.kind == 'f':
        return ': for values of 0.0 to 1.0, pass (image * 255).round().astype(np.uint8)'
    return ': if its values are 0 to 255, pass image.astype(np.uint8)'
