"""Finds the frame of each given mask, without decoding it.

Masks come as paths, arrays, lists of the objects of one frame, or output of SAM.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image

from tempseg_mm.runtime.notices import Notices

from .coco_masks import CocoMask, coco_masks, is_coco
from .frame_names import FrameNames

SAM_KEY = 'segmentation'  # key of the mask in the dicts that SAM's mask generators return


@dataclass(frozen=True)
class PlacedMask:
    """A mask and its frame.

    Attributes:
        frame_id: number of the frame in the whole source.
        mask: a path, an array or a :class:`~tempseg_mm.sources.coco_masks.CocoMask`; or a list of paths or arrays, the
            objects 1, 2, ... of this frame.
    """
    frame_id: int
    mask: object

    @property
    def text(self) -> str:
        """Text that names the mask in messages, such as ``'mask dog.png for frame 0'``."""
        shown = f' {self.mask}' if isinstance(self.mask, (str, os.PathLike, CocoMask)) else ''
        return f'mask{shown} for frame {self.frame_id}'


def place_masks(masks: object, names: FrameNames, notices: Notices) -> list[PlacedMask]:
    """Find the frame of each mask; the order stays.

    Args:
        masks: see :func:`~tempseg_mm.sources.given_masks.read_given_masks`.
        names: names of the frames.
        notices: receives each match that is not obvious.

    Raises:
        ValueError: if an item is no mask, two masks are for one frame, or a mask is for a frame before the first.
    """
    found = _numbered(masks, names, notices)
    seen: dict = {}
    for placed in found:
        if placed.frame_id < names.start:
            raise ValueError(f'{placed.text}: that frame lies before the part that is segmented, which starts at frame '
                             f'{names.start}')
        if placed.frame_id in seen:
            raise ValueError(f'two masks for frame {placed.frame_id}: {seen[placed.frame_id]} and {placed.text}; '
                             'put several objects of a frame into one mask with different values')
        seen[placed.frame_id] = placed.text
    return found


def mask_paths(masks: object) -> list[str]:
    """Return the paths among given masks, without ``@FRAME``."""
    items = masks.values() if isinstance(masks, Mapping) else masks
    items = [items] if isinstance(items, (str, os.PathLike)) else items if isinstance(items, Sequence) or isinstance(
        masks, Mapping) else ()
    return [path if os.path.isfile(path) else re.sub(r'@[^@/\\]+$', '', path) for path in
            (os.fspath(item) for item in items if isinstance(item, (str, os.PathLike)))]


def _numbered(masks: object, names: FrameNames, notices: Notices) -> list[PlacedMask]:
    masks = _plain(masks)
    if isinstance(masks, Mapping) and SAM_KEY not in masks:
        return [_keyed(frame_id, mask, names, notices) for frame_id, mask in masks.items()]
    if isinstance(masks, (str, os.PathLike, np.ndarray, Image.Image, Mapping)):
        masks = [masks]
    if not isinstance(masks, Sequence):
        raise ValueError(f'masks are a path or an array, a list of them, or {{frame: mask}}; got '
                         f'{type(masks).__name__}')
    masks = [_plain(mask) for mask in masks]
    if _are_objects(masks):
        first = names.start
        notices.add(f'{len(masks)} masks were taken for objects 1 to {len(masks)} of frame {first}, because they come '
                    f'from SAM or do not overlap; {{{first}: mask, {first + 1}: mask}} makes them masks of several '
                    'frames')
        return [PlacedMask(first, _objects(masks))]
    placed, following, by_order = [], names.start, []
    for mask in masks:
        text, number = _split(mask, names)
        if is_coco(text):
            frame_id, note = names.place(f'mask {mask}', number, None)
            if note:
                notices.add(note)
            placed += [PlacedMask(i, found) for i, found in coco_masks(text, names, notices, frame_id=frame_id)]
            continue
        stem = Path(text).stem if isinstance(text, (str, os.PathLike)) else None
        frame_id, note = names.place(f'mask {mask}' if stem else 'a mask', number, stem)
        if note:
            notices.add(note)
        if frame_id is None:
            frame_id, following = following, following + 1
            by_order.append(PlacedMask(frame_id, text))
        placed.append(PlacedMask(frame_id, text))
    if len(by_order) > 1:
        notices.add(f'masks without a frame were taken in their order: {"; ".join(one.text for one in by_order)}. '
                    'FILE@FRAME ({frame: mask}) names another frame; put several objects of one frame into one mask '
                    'with different values ({frame: [mask, mask]})')
    return placed


def _plain(mask: object) -> object:
    """Convert a tensor, or anything else with ``__array__``, to an array; return other values as they are."""
    if isinstance(mask, np.ndarray) or not hasattr(mask, '__array__'):
        return mask
    try:
        return np.asarray(mask)
    except (TypeError, RuntimeError) as error:  # a tensor on a GPU, or with a gradient
        raise ValueError(f'a {type(mask).__name__} given as mask is no array: {error}') from error


def _keyed(frame_id: object, mask: object, names: FrameNames, notices: Notices) -> PlacedMask:
    if not isinstance(frame_id, (int, np.integer)) or isinstance(frame_id, bool):
        raise ValueError(f'a dict of masks must have frame numbers as keys, got {frame_id!r}')
    if is_coco(mask):
        [(_, found)] = coco_masks(mask, names, notices, frame_id=int(frame_id))
        return PlacedMask(int(frame_id), found)
    if isinstance(mask, (str, os.PathLike)):
        named = names.meant(Path(mask).stem)
        if named not in (None, frame_id):
            notices.add(f'mask {mask} was taken for frame {frame_id} ({names.name(int(frame_id))}), its key, although '
                        f'it is named like frame {named}')
    return PlacedMask(int(frame_id), _objects(mask) if isinstance(mask, (Mapping, list, tuple)) else
                      _plain(mask))


def _split(mask: object, names: FrameNames) -> tuple:
    """Split ``'FILE@FRAME'`` into file and frame; the frame is ``None`` if none is given."""
    match = re.fullmatch(r'(.+)@([^@/\\]+)', mask, re.DOTALL) if isinstance(mask, str) else None
    if match is None or Path(mask).is_file() or not (match[2].isdecimal() or names.called(match[2]) is not None):
        return mask, None
    return match[1], match[2]


def _are_objects(masks: Sequence) -> bool:
    """Return True if a list shows several objects of one frame: dicts of SAM, or boolean masks that do not overlap.

    Masks of one object in consecutive frames usually do overlap.
    """
    if masks and all(isinstance(mask, Mapping) for mask in masks):
        return True
    if len(masks) < 2 or not all(isinstance(mask, np.ndarray) and mask.dtype == bool and mask.ndim == 2
                                 and mask.shape == masks[0].shape and mask.any() for mask in masks):
        return False
    return not any((one & other).any() for one, other in combinations(masks, 2))


def _objects(masks: object) -> list:
    """Return the masks of one frame's objects as paths or arrays."""
    masks = [masks] if isinstance(masks, Mapping) else list(masks)
    found = [_plain(mask[SAM_KEY] if isinstance(mask, Mapping) and SAM_KEY in mask else mask) for mask in masks]
    for mask in found:
        if not isinstance(mask, (np.ndarray, Image.Image, str, os.PathLike)):
            raise ValueError(f'the objects of a frame must be arrays or files, one each; got {type(mask).__name__}'
                             f'{" (SAM: output_mode=binary_mask gives arrays)" if isinstance(mask, Mapping) else ""}')
    if not 0 < len(found) <= 255:
        raise ValueError(f'a frame may have 1 to 255 objects, got {len(found)}')
    return found
