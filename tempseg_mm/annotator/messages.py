"""Checks and decodes the content of requests, and encodes pictures for answers. Every received byte is untrusted.

A picture is decoded only if its header states the size of the frames, so that a file of a few kilobytes cannot fill the
memory.
"""

import base64
import binascii
import io
import json
import math

import cv2
import numpy as np
from PIL import Image
from starlette.exceptions import HTTPException
from starlette.requests import Request

from tempseg_mm.sources.image_io import DECODER_ERRORS, FORMATS, num_pictures
from tempseg_mm.sources.mask_files import MaskReader

MOST_BYTES = 64 << 20  # in a body
MOST_BYTES_OF_WORDS = 1 << 16  # in a body without a picture
IDS_MODES = ('L', 'P', 'RGB', 'RGBA')
MOST_CLICKS = 500
LONGEST_NAME = 100


async def read_body(request: Request, limit: int = MOST_BYTES) -> bytes:
    """Read the body of a request; reading stops as soon as it is too long.

    Raises:
        HTTPException: 413 if the body has more than ``limit`` bytes.
    """
    parts, count = [], 0
    async for part in request.stream():
        count += len(part)
        if count > limit:
            raise HTTPException(413, f'the body has more than {limit} bytes, which is the limit')
        parts.append(part)
    return b''.join(parts)


async def read_json(request: Request, limit: int = MOST_BYTES_OF_WORDS) -> dict:
    """Read the JSON object in a body; an empty body gives an empty object.

    Raises:
        HTTPException: 400 if the body is anything else, 413 if it is too long.
    """
    body = await read_body(request, limit)
    try:
        value = json.loads(body or b'{}')
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, 'the body must be JSON') from error
    if not isinstance(value, dict):
        raise HTTPException(400, f'the body must be a JSON object, got {type(value).__name__}')
    return value


def whole_number(value: object, what: str) -> int:
    """Return a JSON value that must be an int; otherwise raise ValueError, which names ``what``."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f'{what} must be a whole number')
    return value


def place(value: object, limit: int, what: str) -> int:
    """Return the pixel, 0 to ``limit`` - 1, that holds a coordinate; the coordinate may have a fraction.

    Raises:
        ValueError: if ``value`` is no number, or lies outside.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not 0 <= value < limit:
        raise ValueError(f'{what} must be a number that is at least 0 and below {limit}')
    return int(value)


def plain_text(value: object, what: str) -> str:
    """Return a short text of one line, without spaces at its ends.

    Raises:
        ValueError: if ``value`` is no text, has more than 100 characters, or has several lines.
    """
    if not isinstance(value, str) or len(value) > LONGEST_NAME or not value.isprintable():
        raise ValueError(f'{what} must be one line of text with at most {LONGEST_NAME} characters')
    return value.strip()


def clicks_of(value: object, size: tuple) -> list[tuple[int, int, bool]]:
    """Read clicks.

    Args:
        value: JSON value: a list of ``{x, y, inside}`` with x and y in pixels; ``None``: no clicks.
        size: (H, W) of the frame.

    Returns:
        (x, y, inside) of each click.

    Raises:
        ValueError: if ``value`` is anything else, or there are more than 500 clicks.
    """
    value = [] if value is None else value
    if not isinstance(value, list) or len(value) > MOST_CLICKS:
        raise ValueError(f'clicks must be a list of at most {MOST_CLICKS} clicks')
    clicks = []
    for click in value:
        if not isinstance(click, dict) or not isinstance(click.get('inside'), bool):
            raise ValueError('a click must have x, y and inside (true or false)')
        clicks.append((place(click.get('x'), size[1], 'x of a click'), place(click.get('y'), size[0], 'y of a click'),
                       click['inside']))
    return clicks


def box_of(value: object, size: tuple) -> tuple[int, int, int, int] | None:
    """Read a box ``[left, top, width, height]`` in pixels and cut it at the frame's border; ``None`` stays ``None``.

    Raises:
        ValueError: if ``value`` is anything else, or the box has no area within the frame.
    """
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 4 or not all(
            isinstance(side, int | float) and not isinstance(side, bool) and abs(side) < 1e6 for side in value):
        raise ValueError('a box must be [left, top, width, height] in pixels')
    left, top = (max(0, int(side)) for side in value[:2])
    right, bottom = (min(limit, math.ceil(start + side))
                     for start, side, limit in zip(value[:2], value[2:], size[::-1], strict=True))
    if right <= left or bottom <= top:
        raise ValueError('the box has no area within the frame')
    return left, top, right - left, bottom - top


def ids_of(data: bytes, size: tuple) -> np.ndarray:
    """Read object ids from a PNG: its gray values, its palette indices, or its red channel.

    Args:
        data: content of the file.
        size: (H, W) that the picture must have.

    Returns:
        (H, W) uint8.

    Raises:
        ValueError: if format, mode or size are wrong, pixels are transparent, or the file cannot be decoded.
    """
    picture = _decoded(data, size, ('PNG',))
    if picture.mode not in IDS_MODES:
        raise ValueError(f'a mask must be a PNG with 8 bits per channel, got mode {picture.mode}')
    pixels = np.asarray(picture)
    if picture.mode == 'RGBA' and pixels[..., 3].min() < 255:
        raise ValueError('a mask must be opaque: transparent pixels have no id')
    return np.ascontiguousarray(pixels if pixels.ndim == 2 else pixels[..., 0])


def ids_of_base64(text: object, size: tuple) -> np.ndarray:
    """Read object ids from a PNG in base64 text, as :func:`ids_of` does.

    Raises:
        ValueError: see :func:`ids_of`; also if ``text`` is no base64.
    """
    try:
        data = base64.b64decode(text.encode('ascii'), validate=True)
    except (AttributeError, UnicodeEncodeError, binascii.Error) as error:
        raise ValueError('labels must be a PNG in base64') from error
    return ids_of(data, size)


def mask_of_a_person(data: bytes, size: tuple) -> np.ndarray:
    """Read object ids from an image file that a person loads, with the rules of ``MaskReader``.

    Args:
        data: content of the file.
        size: (H, W) that the picture must have.

    Returns:
        (H, W) uint8.

    Raises:
        ValueError: if the file cannot be decoded, has another size, or its values make no sense as a mask.
    """
    return MaskReader().read(_decoded(data, size, (*FORMATS, 'GIF'))).ids


def _decoded(data: bytes, size: tuple, formats: tuple) -> Image.Image:
    expected = f'{size[1]}x{size[0]} pixels (width x height)'
    try:
        with Image.open(io.BytesIO(data), formats=formats) as picture:
            if picture.size != (size[1], size[0]):
                raise ValueError(f'a mask must have the size of the frames, {expected}, got '
                                 f'{picture.width}x{picture.height}')
            if num_pictures(picture) != 1:
                raise ValueError('a mask must be a file with one picture')
            picture.load()
            return picture
    except ValueError:
        raise
    except DECODER_ERRORS as error:
        raise ValueError(f'this file cannot be read as {" or ".join(formats)}; a mask of {expected} is expected'
                         ) from error


def png_of(pixels: np.ndarray) -> bytes:
    """Encode (H, W) uint8 as a grayscale PNG with fast compression."""
    _, coded = cv2.imencode('.png', pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return coded.tobytes()


def jpeg_of(image: np.ndarray, quality: int = 85) -> bytes:
    """Encode (H, W, 3) uint8 RGB as a JPEG; ``quality`` is 1 to 100."""
    _, coded = cv2.imencode('.jpg', cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return coded.tobytes()
