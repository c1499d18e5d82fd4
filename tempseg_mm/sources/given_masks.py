"""The masks a person gives with a sequence, and the frames they belong to. Called by the inferencer."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .mask_files import MaskReader


@dataclass(frozen=True)
class GivenMask:
    """A mask that is not to be predicted.

    Attributes:
        frame_id: the frame it belongs to, counted in the whole source.
        labels: (H, W) uint8, 0 the background, 1 to 255 the objects, of the size of the frames.
        source: where it comes from, for messages.
    """
    frame_id: int
    labels: np.ndarray
    source: str


def read_given_masks(masks: str | os.PathLike | np.ndarray | Sequence | Mapping, shape: tuple, *, start: int = 0,
                     resize: bool = False, reader: MaskReader | None = None) -> list[GivenMask]:
    """Reads masks and finds out which frames they are for.

    Text may end in ``@`` and the number of a frame, ``'dog.png@7'``, unless a file has that whole name. Masks without
    a number are for the frames ``start``, ``start + 1``, ... in the order given. What their values mean:
    :mod:`~tempseg_mm.sources.mask_regions`; a colour means the same object in all of them.

    Args:
        masks: a path or an array, a sequence of them, or ``{frame: path or array}``.
        shape: (H, W) of the frames.
        start: the first frame that is segmented.
        resize: bring masks of another size to that of the frames, by the nearest pixel.
        reader: which keeps the meaning of colours and takes notices; default: a new one.

    Returns:
        One or more, by frame.

    Raises:
        FileNotFoundError: if a file is missing.
        UnreadableImageError: if one is no image.
        ValueError: no mask, two for one frame, one before ``start``, an empty one, one of another size without
            ``resize``, or values that say nothing.
    """
    found = _numbered(masks, start)
    if not found:
        raise ValueError('no mask is given; at least one is needed to know what to follow')
    _check_frames(found, start)
    found.sort(key=lambda numbered: numbered[0])
    reader = reader or MaskReader()
    reader.learn([mask for _, mask in found])
    labels = [reader.read(mask, name=_text(mask, frame_id)).ids for frame_id, mask in found]
    return [GivenMask(frame_id, _fitted(pixels, tuple(shape[:2]), _text(mask, frame_id), resize=resize),
                      _text(mask, frame_id)) for (frame_id, mask), pixels in zip(found, labels, strict=True)]


def _numbered(masks: object, start: int) -> list:
    """(frame, path or array) of each."""
    if isinstance(masks, Mapping):
        for frame_id in masks:
            if not isinstance(frame_id, (int, np.integer)) or isinstance(frame_id, bool):
                raise ValueError(f'masks as a dict have frame numbers as keys, got {frame_id!r}')
        return [(int(frame_id), mask) for frame_id, mask in masks.items()]
    if isinstance(masks, (str, os.PathLike, np.ndarray)):
        masks = [masks]
    if not isinstance(masks, Sequence):
        raise ValueError(f'masks are a path or an array, a list of them, or {{frame: mask}}; got '
                         f'{type(masks).__name__}')
    found, following = [], start
    for mask in masks:
        frame_id, mask = _split(mask)
        if frame_id is None:
            frame_id, following = following, following + 1
        found.append((frame_id, mask))
    return found


def _split(mask: object) -> tuple[int | None, object]:
    match = re.fullmatch('(.+)@([0-9]+)', mask, re.DOTALL) if isinstance(mask, str) else None
    if match is None or Path(mask).is_file():
        return None, mask
    return int(match.group(2)), match.group(1)


def _check_frames(found: list, start: int) -> None:
    seen: dict = {}
    for frame_id, mask in found:
        if frame_id < start:
            raise ValueError(f'{_text(mask, frame_id)}: that frame lies before the part that is segmented, which '
                             f'starts at frame {start}')
        if frame_id in seen:
            raise ValueError(f'two masks for frame {frame_id}: {seen[frame_id]} and {_text(mask, frame_id)}; several '
                             'objects of a frame go into one mask, by different values')
        seen[frame_id] = _text(mask, frame_id)


def _text(mask: object, frame_id: int) -> str:
    return f'mask {mask} for frame {frame_id}' if isinstance(mask, (str, os.PathLike)) else f'mask for frame {frame_id}'


def _fitted(labels: np.ndarray, shape: tuple, source: str, *, resize: bool) -> np.ndarray:
    if labels.shape != shape:
        if not resize:
            hint = '; it is turned by 90 degrees against them' if labels.shape == shape[::-1] else ''
            raise ValueError(f'{source} is {labels.shape[0]}x{labels.shape[1]} (height x width), the frames are '
                             f'{shape[0]}x{shape[1]}{hint}. --resize-mask (resize_mask=True) brings it to their size')
        labels = cv2.resize(labels, shape[::-1], interpolation=cv2.INTER_NEAREST)
    if not labels.any():
        raise ValueError(f'{source} is empty, so there is nothing to follow: the object must have other values than '
                         'the background, which is 0 or black')
    return labels
