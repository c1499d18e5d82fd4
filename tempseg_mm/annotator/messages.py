"""What comes in with requests, and how masks travel: every byte here is untrusted.

A picture is decoded only when its header says that it has the size of the frames, so that a file of a few kilobytes
cannot fill the memory.
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

MOST_BYTES = 64 << 20  # of a body
MOST_BYTES_OF_WORDS = 1 << 16  # of one without a picture in it
IDS_MODES = ('L', 'P', 'RGB', 'RGBA')
MOST_CLICKS = 500
LONGEST_NAME = 100


async def read_body(request: Request, limit: int = MOST_BYTES) -> bytes:
    """The body of a request, which is given up as soon as it is too long.

    Raises:
        HTTPException: 413 if there are more than ``limit`` bytes.
    """
    parts, count = [], 0
    async for part in request.stream():
        count += len(part)
        if count > limit:
            raise HTTPException(413, f'this is more than {limit} bytes, which is the most that is taken')
        parts.append(part)
    return b''.join(parts)


async def read_json(request: Request, limit: int = MOST_BYTES_OF_WORDS) -> dict:
    """The object in a body; an empty body is an empty one.

    Raises:
        HTTPException: 400 for anything else, 413 if it is too long.
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
    """An int of JSON.

    Raises:
        ValueError: for anything else, naming ``what``.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f'{what} must be a whole number')
    return value


def place(value: object, limit: int, what: str) -> int:
    """A coordinate in pixels, which may have a fraction, as the pixel that it lies in: 0 to ``limit`` - 1.

    Raises:
        ValueError: if it is no number, or outside.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not 0 <= value < limit:
        raise ValueError(f'{what} must be a number from 0 to below {limit}')
    return int(value)


def plain_text(value: object, what: str) -> str:
    """A short text of one line.

    Raises:
        ValueError: for anything else.
    """
    if not isinstance(value, str) or len(value) > LONGEST_NAME or not value.isprintable():
        raise ValueError(f'{what} must be a text of at most {LONGEST_NAME} characters in one line')
    return value.strip()


def clicks_of(value: object, size: tuple) -> list[tuple[int, int, bool]]:
    """Clicks as ``{x, y, inside}``, x and y in pixels, in a list that may be missing.

    Args:
        value: of JSON.
        size: (H, W) of the frame.

    Returns:
        (x, y, inside) each.

    Raises:
        ValueError: for anything else, and for more than 500.
    """
    value = [] if value is None else value
    if not isinstance(value, list) or len(value) > MOST_CLICKS:
        raise ValueError(f'clicks must be a list of at most {MOST_CLICKS}')
    clicks = []
    for click in value:
        if not isinstance(click, dict) or not isinstance(click.get('inside'), bool):
            raise ValueError('a click must have x, y and inside, which is true or false')
        clicks.append((place(click.get('x'), size[1], 'x of a click'), place(click.get('y'), size[0], 'y of a click'),
                       click['inside']))
    return clicks


def box_of(value: object, size: tuple) -> tuple[int, int, int, int] | None:
    """A box ``[left, top, width, height]`` in pixels, cut at the border of the frame; ``None`` where there is none.

    Raises:
        ValueError: for anything else, and for a box without area.
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
    """Object ids out of a PNG: its gray values, its indices, or the red of its pixels.

    Args:
        data: the file.
        size: (H, W) that it must have.

    Returns:
        (H, W) uint8.

    Raises:
        ValueError: for another format, mode or size, for transparent pixels, and for what cannot be decoded.
    """
    picture = _decoded(data, size, ('PNG',))
    if picture.mode not in IDS_MODES:
        raise ValueError(f'a mask must be a PNG of 8 bits a pixel, got one of the mode {picture.mode}')
    pixels = np.asarray(picture)
    if picture.mode == 'RGBA' and pixels[..., 3].min() < 255:
        raise ValueError('a mask must be opaque: transparent pixels have no id')
    return np.ascontiguousarray(pixels if pixels.ndim == 2 else pixels[..., 0])


def ids_of_base64(text: object, size: tuple) -> np.ndarray:
    """As :func:`ids_of`, of a PNG as text.

    Raises:
        ValueError: as there, and for what is no base64.
    """
    try:
        data = base64.b64decode(text.encode('ascii'), validate=True)
    except (AttributeError, UnicodeEncodeError, binascii.Error) as error:
        raise ValueError('labels must be a PNG in base64') from error
    return ids_of(data, size)


def mask_of_a_person(data: bytes, size: tuple) -> np.ndarray:
    """Object ids out of a mask file of any kind that the commands take, see ``MaskReader``.

    Args:
        data: the file.
        size: (H, W) that it must have.

    Returns:
        (H, W) uint8.

    Raises:
        ValueError: for what cannot be decoded, has another size, or says nothing sensible.
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
                raise ValueError('a mask must be a file of one picture')
            picture.load()
            return picture
    except ValueError:
        raise
    except DECODER_ERRORS as error:
        raise ValueError(f'this is no {" or ".join(formats)} that can be read; a mask of {expected} is expected'
                         ) from error


def png_of(pixels: np.ndarray) -> bytes:
    """A (H, W) uint8 array as a grayscale PNG, compressed quickly."""
    _, coded = cv2.imencode('.png', pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return coded.tobytes()


def jpeg_of(image: np.ndarray, quality: int = 85) -> bytes:
    """A (H, W, 3) uint8 RGB array as a JPEG; ``quality`` is 1 to 100."""
    _, coded = cv2.imencode('.jpg', cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return coded.tobytes()
