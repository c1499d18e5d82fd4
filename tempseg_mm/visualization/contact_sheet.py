"""Pictures in a grid with captions and a legend. Used by sheets and the visualizer; OpenCV draws the text."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

FONT = cv2.FONT_HERSHEY_SIMPLEX
BACKGROUND = 40
BAR = 24
TEXT = (240, 240, 240)
SWATCH = 16  # size of a colour sample in a legend, pixels


class LegendEntry(NamedTuple):
    """Meaning of a colour: ASCII ``text``, RGB ``color``, and whether it fills areas (``filled``) or draws outlines."""
    text: str
    color: tuple[int, int, int]
    filled: bool = True


def contact_sheet(tiles: Sequence[np.ndarray | None], columns: int, *, captions: Sequence[str] | None = None,
                  pad: int = 4) -> np.ndarray:
    """Lay pictures out row by row in cells of one size.

    Args:
        tiles: pictures, (h, w, 3) uint8 RGB. Sizes may differ (smaller ones are centred); ``None`` leaves a cell empty.
        columns: number of columns; the last row may be shorter.
        captions: one per tile, ASCII, on a bar above it, shrunk to fit; ``None``: no bars.
        pad: pixels between cells and around the sheet.

    Returns:
        (H', W', 3) uint8 RGB.

    Raises:
        ValueError: if there is no picture or no column, if a picture has another type, or if the numbers of captions
            and tiles differ.
    """
    pictures = [tile for tile in tiles if tile is not None]
    if not pictures:
        raise ValueError('a contact sheet needs at least one picture, got none')
    if columns < 1:
        raise ValueError(f'columns must be at least 1, got {columns}')
    if captions is not None and len(captions) != len(tiles):
        raise ValueError(f'each tile needs one caption, got {len(captions)} captions for {len(tiles)} tiles')
    for picture in pictures:
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            raise ValueError(f'tiles must be (h, w, 3) uint8 RGB, got {picture.shape} {picture.dtype}')

    height, width = (max(picture.shape[axis] for picture in pictures) for axis in (0, 1))
    bar = _bar_height(width) if captions is not None else 0
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    sheet = np.full((pad + rows * (bar + height + pad), pad + columns * (width + pad), 3), BACKGROUND, np.uint8)
    for i, tile in enumerate(tiles):
        top, left = pad + i // columns * (bar + height + pad), pad + i % columns * (width + pad)
        if captions is not None:
            sheet[top:top + bar, left:left + width] = _caption(captions[i], bar, width)
        if tile is not None:
            y, x = top + bar + (height - tile.shape[0]) // 2, left + (width - tile.shape[1]) // 2
            sheet[y:y + tile.shape[0], x:x + tile.shape[1]] = tile
    return sheet


def with_legend(picture: np.ndarray, entries: Sequence[LegendEntry]) -> np.ndarray:
    """Add a legend of colours below a picture.

    Args:
        picture: (H, W, 3) uint8 RGB.
        entries: entries in order; each row takes as many as fit.

    Returns:
        (H', W', 3) uint8 RGB. A picture that is narrower than an entry is widened.
    """
    texts = [_text(entry.text) for entry in entries]
    lengths = [2 * SWATCH + text.shape[1] for text in texts]
    width = max(picture.shape[1], *(length + SWATCH // 2 for length in lengths))
    places, x, row = [], SWATCH // 2, 0
    for length in lengths:
        if x + length > width and x > SWATCH // 2:
            x, row = SWATCH // 2, row + 1
        places.append((row * BAR, x))
        x += length
    sheet = np.full((picture.shape[0] + (row + 1) * BAR, width, 3), BACKGROUND, np.uint8)
    sheet[:picture.shape[0], :picture.shape[1]] = picture
    for entry, text, (y, x) in zip(entries, texts, places, strict=True):
        top = picture.shape[0] + y + (BAR - SWATCH) // 2 - 2
        corners = (x, top), (x + SWATCH - 4, top + SWATCH - 1)
        cv2.rectangle(sheet, *corners, tuple(map(int, entry.color)), cv2.FILLED if entry.filled else 2)
        sheet[top:top + SWATCH, x + SWATCH + 2:x + SWATCH + 2 + text.shape[1]] = text
    return sheet


def _text(text: str) -> np.ndarray:
    """Return the text as a picture, (SWATCH, w, 3) uint8, as wide as it needs."""
    (width, _), _ = cv2.getTextSize(text, FONT, 0.42, 1)
    picture = np.full((SWATCH, width + 2, 3), BACKGROUND, np.uint8)
    cv2.putText(picture, text, (0, SWATCH - 4), FONT, 0.42, TEXT, 1, cv2.LINE_AA)
    return picture


def _bar_height(width: int) -> int:
    return min(BAR, max(12, width // 8))


def _caption(text: str, height: int, width: int) -> np.ndarray:
    """Return (height, width, 3) uint8 with the text on the middle line, as large as fits."""
    bar = np.full((height, width, 3), BACKGROUND, np.uint8)
    if not text:
        return bar
    text_width, text_height = cv2.getTextSize(text, FONT, 1.0, 1)[0][0], cv2.getTextSize('Ag', FONT, 1.0, 1)[0][1]
    scale = min(0.45 * height / text_height, (width - 4) / max(1, text_width))
    baseline = round((height + scale * text_height) / 2)
    cv2.putText(bar, text, (2, baseline), FONT, scale, TEXT, 1, cv2.LINE_AA)
    return bar
