"""A template and what goes into it, as one page. Used by both reports; relies on the files of ``templates``."""

import base64
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from importlib import resources
from pathlib import Path

import cv2
import numpy as np

from tempseg_mm.runtime.atomic import written_beside

CHUNK = 3 << 18  # bytes; a multiple of 3, so that pieces of base64 need no padding


def write_page(path: str | Path, template: str, *, title: str, data: Mapping, video: Path | None = None) -> None:
    """Write ``templates/<template>.html`` with its style, its scripts, its data and a video in it.

    ``{{title}}`` becomes the title; ``{{file.css}}`` and ``{{file.js}}`` those files; ``{{data}}`` the data as JSON and
    ``{{video}}`` lines of base64, both to be put into a ``<script>`` of another type than JavaScript. The video is
    copied piece by piece: memory does not grow with it.

    Args:
        path: the file; its folder is made, and it appears whole or not at all.
        template: name of the template.
        title: any text.
        data: numbers, texts, lists and mappings; NaN and infinities become null.
        video: file to embed.

    Raises:
        OSError: if the video cannot be read.
    """
    def part(name: str) -> Iterable[str]:
        if name == 'title':
            return [escape(title)]
        if name == 'data':
            return [json_island(data)]
        return _base64_lines(video) if name == 'video' else [_template(name)]

    with written_beside(path) as beside, open(beside, 'w', encoding='utf-8', newline='\n') as file:
        for i, text in enumerate(re.split(r'\{\{([\w.]+)\}\}', _template(f'{template}.html'))):
            file.writelines(part(text) if i % 2 else [text])


def json_island(data: object) -> str:
    """JSON that may stand between ``<script>`` tags whatever its texts hold.

    Args:
        data: as in :func:`write_page`.

    Returns:
        ASCII without ``<``, ``>`` and ``&``, so no text can end the script or open a comment.
    """
    text = json.dumps(_plain(data), separators=(',', ':'), allow_nan=False)
    return text.replace('<', '\\u003c').replace('>', '\\u003e').replace('&', '\\u0026')


def picture_uri(picture: np.ndarray, *, quality: int = 82) -> str:
    """A picture as text, a JPEG in a ``data:`` address.

    Args:
        picture: (H, W, 3) uint8 RGB.
        quality: of the JPEG, 1 to 100.
    """
    _, coded = cv2.imencode('.jpg', cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return 'data:image/jpeg;base64,' + base64.b64encode(coded).decode('ascii')


def flat_rows(settings: Mapping, prefix: str = '') -> list[tuple[str, str]]:
    """Rows of a table of settings.

    Args:
        settings: mappings in mappings.
        prefix: of the names.

    Returns:
        (dotted name, value as text) of everything that is not a mapping with something in it.
    """
    rows = []
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            rows += flat_rows(value, f'{prefix}{key}.')
        else:
            rows.append((f'{prefix}{key}', value if isinstance(value, str) else repr(value)))
    return rows


def _template(name: str) -> str:
    return (resources.files(__package__) / 'templates' / name).read_text(encoding='utf-8')


def _base64_lines(path: Path) -> Iterator[str]:
    with open(path, 'rb') as file:
        while piece := file.read(CHUNK):
            yield base64.b64encode(piece).decode('ascii') + '\n'


def _plain(data: object) -> object:
    """The same of types that JSON knows."""
    if isinstance(data, Mapping):
        return {str(key): _plain(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_plain(value) for value in data]
    if isinstance(data, np.generic):
        data = data.item()
    if isinstance(data, float) and not math.isfinite(data):
        return None
    return data if data is None or isinstance(data, (bool, int, float, str)) else str(data)
