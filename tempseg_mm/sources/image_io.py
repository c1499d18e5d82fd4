"""Decoding frames and annotations from files. Called by ``VOSSequence``; every fault names the file and the way out."""

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


def _unreadable(path: str, reason: object) -> OSError:
    if not os.path.exists(path):
        return FileNotFoundError(f'image {path} does not exist; the sequence is incomplete: unpack or copy it anew')
    return UnreadableImageError(f'image {path} cannot be decoded ({reason}); it is truncated or not an image: restore '
                                'it from the original archive, or leave its sequence out')


@contextmanager
def _opened(path: str) -> Iterator[Image.Image]:
    """The image of a file, its header read. Whatever is wrong with it, here or in the block, is told in one way."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise ValueError(f'it claims {width}x{height} pixels, more than {MOST_PIXELS} are not read')
            yield image
    except DECODER_ERRORS as error:
        raise _unreadable(path, error) from error


@lru_cache(maxsize=100_000)
def image_size(path: str) -> tuple:
    """(H, W) of an image file from its header alone; remembered per path.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: if it is no image, or one of more than 2^26 pixels.
    """
    with _opened(path) as image:
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
    with _opened(path) as image:
        image.draft(None, tuple(side // 8 for side in image.size))  # reads all of a JPEG, but transforms less
        image.load()


def read_annotation(path: str, *, as_levels: bool = False) -> np.ndarray:
    """Decodes an annotation as stored; what its values mean is left to :func:`object_mask`.

    Alpha is left out: one annotation of DAVIS 2016, ``bear/00077.png``, has such a channel.

    Args:
        path: PNG, BMP or JPEG.
        as_levels: for a threshold: a palette becomes the colours it stands for, one bit becomes 0 and 255.

    Returns:
        (H, W) object ids, or gray values, of files with one channel or a palette; (H, W, C) of files in colours.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: if it cannot be decoded.
    """
    with _opened(path) as image:  # Pillow keeps the ids of palette files, OpenCV turns them into colours
        if as_levels and image.mode in ('P', '1'):
            image = image.convert('RGB')
        bands = image.getbands()
        pixels = np.asarray(image)
    if bands[-1] == 'A':
        pixels, bands = pixels[..., :-1], bands[:-1]
    return pixels if len(bands) > 1 else pixels.reshape(pixels.shape[:2])


def object_mask(pixels: np.ndarray, *, object_id: int | None = None, threshold: int | None = None,
                source: str = 'array') -> np.ndarray:
    """Which pixels of an annotation are object.

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
    """Decodes an annotation at its stored size.

    Single-channel and palette files hold object ids (or 0/255); of files with colours, any pixel that is not black is
    object. Alpha is ignored. With a ``threshold``, see :func:`object_mask`.

    Args:
        path: PNG, BMP or JPEG.
        object_id: ``None``: everything but 0 is object. Else only pixels of this id.
        threshold: only pixels above it are object.

    Returns:
        (H, W) uint8, 0 or 1.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: if it cannot be decoded.
        ValueError: if an ``object_id`` is asked of an annotation in colours, which holds no ids, or with a threshold.
    """
    pixels = read_annotation(path, as_levels=threshold is not None)
    return object_mask(pixels, object_id=object_id, threshold=threshold, source=path)
