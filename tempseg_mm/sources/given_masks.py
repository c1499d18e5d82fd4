"""The masks a person gives with a sequence, and the frames they belong to. Called by the inferencer."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from tempseg_mm.runtime.notices import Notices

from .coco_masks import CocoMask
from .frame_names import FrameNames
from .given_frames import PlacedMask, place_masks
from .mask_files import MaskReader
from .unreadable import read_as


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


def read_given_masks(masks: str | os.PathLike | np.ndarray | Sequence | Mapping, shape: tuple, *,
                     names: FrameNames | None = None, resize: bool = False, ends: bool = False, turned: bool = False,
                     reader: MaskReader | None = None) -> list[GivenMask]:
    """Reads masks and finds out which frames they are for.

    Text may end in ``@`` and a frame, ``'dog.png@7'``, unless a file has that whole name: its number, counted from 0,
    or its name. Without that the name of the file decides, if it is a frame's (``'00007.png'``, ``'00007_mask.png'``);
    other masks are for the frames ``start``, ``start + 1``, ... in the order given. A list of boolean arrays that do
    not overlap, and what SAM returns, are the objects of frame ``start``. What values mean:
    :mod:`~tempseg_mm.sources.mask_regions`; a colour means the same object in all of them. A path that ends in
    ``.json`` is COCO JSON, with the masks of one frame or many: :func:`~tempseg_mm.sources.coco_masks.coco_masks`.

    Args:
        masks: a path, an array, a tensor, a picture of Pillow, a sequence of them, or ``{frame: mask}``. A list as the
            value of a frame: its objects 1, 2, ....
        shape: (H, W) of the frames.
        names: of the frames.
        resize: bring masks of another size to that of the frames, by the nearest pixel.
        ends: whether a later mask may be empty, which ends all objects there.
        turned: whether frames were turned upright, which a mask of another shape may not have been.
        reader: which keeps the meaning of colours, and whose notices are told of every reading of which another was
            possible; default: a new one.

    Returns:
        One or more, by frame.

    Raises:
        FileNotFoundError: if a file is missing.
        UnreadableImageError: if one is no image.
        ValueError: no mask, two for one frame, one before ``start``, an empty one, one of another size without
            ``resize``, or values that say nothing.
    """
    names, reader = names or FrameNames(), reader or MaskReader()
    notices = reader.notices
    placed = place_masks(masks, names, notices)
    if not placed:
        raise ValueError('no mask is given; at least one is needed to know what to follow')
    placed.sort(key=lambda one: one.frame_id)
    labels = {one.frame_id: one.mask.labels(shape, notices) for one in placed if isinstance(one.mask, CocoMask)}
    for one in placed:
        if one.frame_id in labels:
            reader.names.add_numbers(i for i, _ in one.mask.objects)
            reader.names.titles.update(one.mask.names)
    drawn = [one for one in placed if one.frame_id not in labels]
    with read_as('mask'):
        found = [_of_objects(one, notices) if isinstance(one.mask, list) else one.mask for one in drawn]
        reader.learn(found)
        labels.update({one.frame_id: reader.read(mask, name=one.text).ids
                       for one, mask in zip(drawn, found, strict=True)})
    given = []
    for one in placed:
        fitted = _fitted(labels[one.frame_id], tuple(shape[:2]), one.text, resize=resize, turned=turned)
        given.append(GivenMask(one.frame_id, fitted, one.text))
    for i, mask in enumerate(given):
        if not mask.labels.any() and not (ends and i):
            hint = '. If all objects end there, say so by --ends (ends=True)' if i else ''
            raise ValueError(f'{mask.source} is empty, so there is nothing to follow: the object must have other '
                             f'values than the background, which is 0 or black{hint}')
    return given


def _of_objects(placed: PlacedMask, notices: Notices) -> np.ndarray:
    """(H, W) uint8: what is not background in the k-th mask is object k, and lies over those before it."""
    labels, hidden = None, 0
    for object_id, mask in enumerate(placed.mask, 1):
        plain = isinstance(mask, np.ndarray) and mask.ndim == 2 and mask.dtype == bool
        shown = mask if plain else MaskReader().read(mask).ids > 0
        labels = np.zeros(shown.shape, np.uint8) if labels is None else labels
        if shown.shape != labels.shape:
            raise ValueError(f'the masks of the objects of frame {placed.frame_id} differ in size: object {object_id} '
                             f'is {shown.shape[0]}x{shown.shape[1]} (height x width), object 1 {labels.shape[0]}x'
                             f'{labels.shape[1]}')
        hidden += np.count_nonzero(labels[shown])
        labels[shown] = object_id
    if hidden:
        notices.add(f'objects of frame {placed.frame_id} overlap in {hidden} pixels, which went to the later ones of '
                    'the list')
    return labels


def _fitted(labels: np.ndarray, shape: tuple, source: str, *, resize: bool, turned: bool) -> np.ndarray:
    if labels.shape == shape:
        return labels
    if resize:
        return cv2.resize(labels, shape[::-1], interpolation=cv2.INTER_NEAREST)
    hint = ''
    if labels.shape == shape[::-1]:
        hint = ('; it fits the frames as they are stored, but EXIF notes that they lie on their side, and they were '
                'turned upright: turn the mask likewise, or save the frames without EXIF') if turned else (
                '; it is turned by 90 degrees against them')
    raise ValueError(f'{source} is {labels.shape[0]}x{labels.shape[1]} (height x width), the frames are '
                     f'{shape[0]}x{shape[1]}{hint}. --resize-mask (resize_mask=True) brings it to their size')
