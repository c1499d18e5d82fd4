"""Open image files and decode frames; ``stored_mask`` decodes masks. Every fault names the file and the way out."""

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

# Not EPS: Pillow would have Ghostscript run it.
FORMATS = ('BMP', 'GIF', 'JPEG', 'JPEG2000', 'PNG', 'PPM', 'TIFF', 'WEBP', *(['AVIF'] * features.check('avif')))
DEPTHS = (8, 10, 12, 14, 16)  # bits that cameras use of 16
PNG = b'\x89PNG'
ONE_PICTURE = ('JPEG', 'MPO')  # what cameras add to it are previews and other views
ORIENTATION, NEW_SUBFILE_TYPE = 0x0112, 254  # tags of EXIF and TIFF
SIDEWAYS = (5, 6, 7, 8)  # orientations that swap the sides
# Steps along rows and columns, after the sides were swapped where they are.
FLIPS = {1: (1, 1), 2: (1, -1), 3: (-1, -1), 4: (-1, 1), 5: (1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}
TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90}
MOST_PIXELS = 2 ** 26  # 8192x8192; decoded, a file of a few kilobytes could otherwise fill the memory
# What Pillow's decoders raise on broken files; some are no OSError.
DECODER_ERRORS = (OSError, ValueError, SyntaxError, LookupError, TypeError, ArithmeticError, EOFError, struct.error,
                  zlib.error, Image.DecompressionBombError)
REDUCED_FLAGS = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}


class ImageHeader(NamedTuple):
    """What is known of an image before it is decoded.

    Attributes:
        size: (H, W) of the upright picture.
        turn: the orientation that EXIF notes and that decoders leave to others, 1 to 8; 1: none.
    """
    size: tuple
    turn: int


@contextmanager
def opened_image(path: str, role: str = 'image', formats: tuple = FORMATS, *, pictures: bool = False
                 ) -> Iterator[Image.Image]:
    """Open an image file with Pillow and read its header; every reader of frames and masks goes through here.

    The picture is upright, as viewers show it: a rotation that EXIF notes is applied, for which it is decoded at once.

    Args:
        path: a file of one of ``formats``, whatever its suffix, of at most :data:`MOST_PIXELS` pixels.
        role: what the file is meant to be, of :data:`~tempseg_mm.sources.unreadable.ROLES`, for messages.
        formats: names of Pillow's formats.
        pictures: whether it may hold several, which are then as stored.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: whatever is wrong with it, also where that shows only while the block decodes it.
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
    """Header of an image file; remembered per path.

    Raises:
        FileNotFoundError, UnreadableImageError: as :func:`opened_image`.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            _check_header(image, False)
            turn = _turn_of(image)
            return ImageHeader(image.size if turn in SIDEWAYS else image.size[::-1], turn)
    except DECODER_ERRORS as error:
        raise image_fault(path, error) from error


def image_size(path: str) -> tuple:
    """(H, W) of an image file, upright, from its header alone; remembered per path.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: if it is no image, or one of more than 2^26 pixels.
    """
    return image_header(path).size


def read_image(path: str, size: Size = None) -> np.ndarray:
    """Decodes an image, upright.

    A JPEG is decoded straight to a half, a quarter or an eighth when ``size`` is no larger than that and
    the factor divides both sides.

    Args:
        path: of one of :data:`FORMATS`. A PNG of 16 bits becomes one of 8
            by the bits that the first, the middle and the last PNG of its folder use.
        size: see :func:`~tempseg_mm.ops.resize.target_size`.

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
                   # A side that the factor does not divide is rounded up, which would shift pixels against the mask.
                   if all(full % factor == 0 and full >= wanted * factor for full, wanted in zip(stored, size))]
        flag = REDUCED_FLAGS[max(factors)] if factors else flag
    try:
        encoded = np.fromfile(path, np.uint8)  # OpenCV 5 crashes on names that are no text
        # OpenCV's own turning covers some formats only.
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
    """The least usual depth, 8 to 16, whose range holds all values of uint16 pictures."""
    largest = max((int(picture.max(initial=0)) for picture in pictures), default=0)
    return next(bits for bits in DEPTHS if largest < 1 << bits)


def _eight_bits(path: str, encoded: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 BGR of a PNG of 16 bits, by the bits that those of its folder use."""
    image = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
    return to_rgb8(image, path, bits=_bits_of_folder(os.path.dirname(path)))


@lru_cache(maxsize=1000)
def _bits_of_folder(folder: str) -> int:
    names = natural_order(name for name in os.listdir(folder or os.curdir) if name.lower().endswith('.png'))
    paths = [os.path.join(folder, names[i]) for i in sorted({0, len(names) // 2, len(names) - 1})]
    pictures = [cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED) for path in paths]
    bits = bits_used(picture for picture in pictures if picture is not None and picture.dtype == np.uint16)
    print_log(f'images in {folder or os.curdir} have 16 bits and use {bits} of them: {2 ** bits - 1} is white',
              'current')
    return bits


def turned(pixels: np.ndarray, turn: int) -> np.ndarray:
    """Pixels as stored -> upright, by the number that EXIF has for it: 6, say, is a quarter turn clockwise."""
    pixels = pixels if turn < 5 else np.swapaxes(pixels, 0, 1)
    rows, columns = FLIPS[turn]
    return np.ascontiguousarray(pixels[::rows, ::columns])


def _check_header(image: Image.Image, pictures: bool) -> None:
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise ValueError(f'it claims {width}x{height} pixels, more than {MOST_PIXELS} are not read')
    count = 1 if pictures else num_pictures(image)
    if count > 1:
        raise SeveralPicturesError(count)


def num_pictures(image: Image.Image) -> int:
    """How many an opened file holds: pages, or frames of an animation. Previews beside a picture do not count."""
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
    """Not ``getexif``, which decodes a whole PNG; Pillow and OpenCV turn TIFF files themselves."""
    if image.format == 'TIFF' or 'exif' not in image.info:
        return 1
    exif = Image.Exif()
    try:
        exif.load(image.info['exif'])
        turn = exif.get(ORIENTATION, 1)
    except DECODER_ERRORS:
        return 1  # viewers show such a file as it is stored, too
    return turn if turn in FLIPS else 1


def _upright(image: Image.Image, turn: int) -> Image.Image:
    upright = image.transpose(TRANSPOSITIONS[turn])
    upright.format, upright.info = image.format, dict(image.info)
    return upright


def verify_image(path: str) -> None:
    """Decodes a whole file and throws the pixels away, which finds the truncated JPEG that OpenCV fills up with gray.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: if it cannot be decoded to its end.
    """
    with opened_image(path, pictures=True) as image:  # nobody looks at it, so it need not be upright
        image.draft(None, tuple(side // 8 for side in image.size))  # reads all of a JPEG, but transforms less
        image.load()


def to_rgb8(image: np.ndarray, source: str = 'frame', *, bits: int = 16) -> np.ndarray:
    """A picture as the frame it stands for.

    Args:
        image: (H, W) or (H, W, 1) gray, (H, W, 3) RGB or (H, W, 4) RGBA, whose alpha is left out; uint8, or uint16,
            of which 2^bits - 1 and more becomes 255, less in proportion.
        source: what it is, for messages.
        bits: that are used of 16.

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
        return ': of 0.0 to 1.0, take (image * 255).round().astype(np.uint8)'
    return ': image.astype(np.uint8), if its values are 0 to 255'
