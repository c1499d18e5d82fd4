"""The page over several videos: what became of each, and where its own page lies. Written by a batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .page import picture_uri, write_page


@dataclass(frozen=True)
class VideoRow:
    """What a page shows of one video.

    Attributes:
        name: of its folder.
        fault: why there is no result, in words; ``''``: there is one, and the rest holds.
        frames: how many.
        objects: how many were followed.
        seconds: that it took.
        mean_j: mean over its objects, in [0, 1]; ``None`` without ground truth.
        lost: a sentence for each object that was probably lost.
        notices: other sentences.
        links: title -> address, relative to the page; the first is that of its own page, if it has one.
        thumbnail: (h, w, 3) uint8 RGB; ``None``: there is none.
        caption: of the thumbnail.
    """
    name: str
    fault: str = ''
    frames: int | None = None
    objects: int | None = None
    seconds: float | None = None
    mean_j: float | None = None
    lost: Sequence[str] = ()
    notices: Sequence[str] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    thumbnail: np.ndarray | None = field(default=None, compare=False)
    caption: str = ''


def write_batch_report(path: str | Path, *, title: str, rows: Sequence[VideoRow]) -> None:
    """Write the page.

    Args:
        path: the file; its folder is made, and it appears whole or not at all. All but what links lead to lies in the
            page itself.
        title: any text.
        rows: one a video, in the order shown.

    Raises:
        ValueError: without a row.
    """
    if not rows:
        raise ValueError('a page over several videos needs at least one')
    shown = [dict(vars(row), thumbnail=None if row.thumbnail is None else picture_uri(row.thumbnail)) for row in rows]
    write_page(path, 'batch', title=title, data=dict(title=title, rows=shown, notices=()))
