"""Reads the masks that a person gives with a sequence."""

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
    """A given mask, which the network need not predict.

    Attributes:
        frame_id: number of its frame in the whole source.
        labels: (H, W) uint8 in the size of the frames: 0 is the background, 1 to 255 are the objects.
        source: text that names the mask in messages.
    """
    frame_id: int
    labels: np.ndarray
    source: str


def read_given_masks(masks: str | os.PathLike | np.ndarray | Sequence | Mapping, shape: tuple, *,
                     names: FrameNames | None = None, resize: bool = False, ends: bool = False, turned: bool = False,
                     reader: MaskReader | None = None) -> list[GivenMask]:
    """Read masks and find the frames they are for.

    The frame of a mask is found in this order:

    - Text may end in ``@`` and a frame, such as ``'dog.png@7'``: its number, counted from 0, or its name. If a file
      has that whole name, ``@`` is part of the name.
    - A file that is named like a frame (``'00007.png'``, ``'00007_mask.png'``) is for that frame.
    - Other masks are for the frames ``start``, ``start + 1``, ... in the order given.

    A list of boolean arrays that do not overlap, and the output of SAM, are the objects of frame ``start``. A path that
    ends in ``.json`` is COCO JSON with masks of one or more frames, see
    :func:`~tempseg_mm.sources.coco_masks.coco_masks`. :mod:`~tempseg_mm.sources.mask_regions` says what values mean. A
    colour means the same object in all masks.

    Args:
        masks: a path, an array, a tensor, a picture of Pillow, a sequence of these, or ``{frame: mask}``. If the value
            of a frame is a list, its items are the objects 1, 2, ... of that frame.
        shape: (H, W) of the frames.
        names: names of the frames; default: ``'00000'``, ``'00001'``, ....
        resize: resize masks of another size to the size of the frames, by the nearest pixel.
        ends: allow later masks to be empty; an empty mask ends all objects.
        turned: whether EXIF turned the frames upright; used for the message about a mask of another size.
        reader: keeps the meaning of colours for all masks of the sequence. Its notices receive every choice between two
            possible readings. Default: a new one.

    Returns:
        One or more given masks, ordered by frame.

    Raises:
        FileNotFoundError: if a file is missing.
        UnreadableImageError: if a file is no image.
        ValueError: if there is no mask, two masks are for one frame, a mask is for a frame before ``start``, is empty,
            has another size without ``resize``, or has values that make no sense.
    """
    names, reader = names or FrameNames(), reader or MaskReader()
    notices = reader.notices
    placed = place_masks(masks, names, notices)
    if not placed:
        raise ValueError('no mask is given; at least one is needed to show what to follow')
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
            hint = '. If all objects end there, use --ends (ends=True)' if i else ''
            raise ValueError(f'{mask.source} is empty, so there is nothing to follow: the object must have other '
                             f'values than the background, which is 0 or black{hint}')
    return given


def _of_objects(placed: PlacedMask, notices: Notices) -> np.ndarray:
    """Merge the masks of one frame's objects into (H, W) uint8: mask k becomes object k and covers earlier objects."""
    labels, hidden = None, 0
    for object_id, mask in enumerate(placed.mask, 1):
        plain = isinstance(mask, np.ndarray) and mask.ndim == 2 and mask.dtype == bool
        shown = mask if plain else MaskReader().read(mask).ids > 0
        labels = np.zeros(shown.shape, np.uint8) if labels is None else labels
        if shown.shape != labels.shape:
            raise ValueError(f'the masks of the objects of frame {placed.frame_id} differ in size: object {object_id} '
                             f'is {shown.shape[0]}x{shown.shape[1]} (height x width), object 1 is '
                             f'{labels.shape[0]}x{labels.shape[1]}')
        hidden += np.count_nonzero(labels[shown])
        labels[shown] = object_id
    if hidden:
        notices.add(f'objects of frame {placed.frame_id} overlap in {hidden} pixels, which went to the later objects '
                    'of the list')
    return labels


def _fitted(labels: np.ndarray, shape: tuple, source: str, *, resize: bool, turned: bool) -> np.ndarray:
    if labels.shape == shape:
        return labels
    if resize:
        return cv2.resize(labels, shape[::-1], interpolation=cv2.INTER_NEAREST)
    hint = ''
    if labels.shape == shape[::-1]:
        hint = ('; it fits the frames as they are stored, but their EXIF says that they lie on their side, so they '
                'were turned upright: turn the mask, too, or save the frames without EXIF') if turned else (
                '; it is turned by 90 degrees against them')
    raise ValueError(f'{source} is {labels.shape[0]}x{labels.shape[1]} (height x width), the frames are '
                     f'{shape[0]}x{shape[1]}{hint}. --resize-mask (resize_mask=True) resizes it to their size')
