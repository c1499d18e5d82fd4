"""Pages from the files in ``templates`` and data. Used by all reports."""

import base64
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from tempseg_mm.runtime.atomic import written_beside

CHUNK = 3 << 18  # bytes; a multiple of 3, so that pieces in base64 need no padding

_PAGES = Environment(loader=PackageLoader(__package__), autoescape=True, undefined=StrictUndefined)
_PAGES.policies['json.dumps_kwargs'] = dict(separators=(',', ':'), allow_nan=False)


def write_page(path: str | Path, template: str, *, title: str, data: Mapping, video: Path | None = None) -> None:
    """Write ``templates/<template>.html``, which extends ``page.html``, with its style, scripts, data and video.

    The page contains the data as JSON and the video as lines of base64, both in a ``<script>`` with a type other than
    JavaScript. Jinja2 escapes the data, the video and the title, so no text can end its element. The video is copied in
    pieces, so memory does not grow with its length.

    Args:
        path: the file; its folder is created. It appears whole or not at all.
        template: name of the template.
        title: any text.
        data: numbers, texts, lists and mappings; NaN and infinities become null.
        video: file to embed.

    Raises:
        OSError: if the video cannot be read.
    """
    parts = dict(title=title, data=_plain(data), video=_base64_lines(video) if video else ())
    with written_beside(path) as beside, open(beside, 'w', encoding='utf-8', newline='\n') as file:
        _PAGES.get_template(f'{template}.html').stream(parts).dump(file)


def picture_uri(picture: np.ndarray, *, quality: int = 82) -> str:
    """Return a picture as text: a JPEG in a ``data:`` address.

    Args:
        picture: (H, W, 3) uint8 RGB.
        quality: quality of the JPEG, 1 to 100.
    """
    _, coded = cv2.imencode('.jpg', cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return 'data:image/jpeg;base64,' + base64.b64encode(coded).decode('ascii')


def flat_rows(settings: Mapping, prefix: str = '') -> list[tuple[str, str]]:
    """Return the rows of a table of settings.

    Args:
        settings: mappings, which may contain mappings.
        prefix: prefix of the names.

    Returns:
        (dotted name, value as text) of every value that is not a non-empty mapping.
    """
    rows = []
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            rows += flat_rows(value, f'{prefix}{key}.')
        else:
            rows.append((f'{prefix}{key}', value if isinstance(value, str) else repr(value)))
    return rows


def _base64_lines(path: Path) -> Iterator[str]:
    with open(path, 'rb') as file:
        while piece := file.read(CHUNK):
            yield base64.b64encode(piece).decode('ascii') + '\n'


def _plain(data: object) -> object:
    """Return the same data in types that JSON knows."""
    if isinstance(data, Mapping):
        return {str(key): _plain(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_plain(value) for value in data]
    if isinstance(data, np.generic):
        data = data.item()
    if isinstance(data, float) and not math.isfinite(data):
        return None
    return data if data is None or isinstance(data, (bool, int, float, str)) else str(data)
