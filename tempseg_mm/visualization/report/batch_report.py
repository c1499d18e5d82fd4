"""Page about several videos: the result of each and the way to its own page. Written by a batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .page import picture_uri, write_page


@dataclass(frozen=True)
class VideoRow:
    """Part of the page about one video.

    Attributes:
        name: name of its folder.
        fault: why there is no result, in words; ``''`` if there is a result. The other fields apply only then.
        frames: number of frames.
        objects: number of objects that were followed.
        seconds: time that the video took.
        mean_j: mean J over its objects, in [0, 1]; ``None`` without ground truth.
        lost: a sentence for each object that was probably lost.
        notices: other sentences.
        links: title -> address, relative to the page; the first link leads to the video's own page, if it has one.
        thumbnail: (h, w, 3) uint8 RGB; ``None``: no thumbnail.
        caption: caption of the thumbnail.
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
        path: the file; its folder is created. It appears whole or not at all and contains everything except the targets
            of its links.
        title: any text.
        rows: one per video, in the order shown.

    Raises:
        ValueError: if there is no row.
    """
    if not rows:
        raise ValueError('a page about videos needs at least one, got none')
    shown = [dict(vars(row), thumbnail=None if row.thumbnail is None else picture_uri(row.thumbnail)) for row in rows]
    write_page(path, 'batch', title=title, data=dict(title=title, rows=shown, notices=()))
