"""Given masks out of COCO JSON: which frames its images are, and which objects its annotations. Called where masks get
their frames.

What such a file says of its masks is exact, so nothing of what :mod:`~tempseg_mm.sources.mask_regions` weighs applies.
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tempseg_mm.runtime.notices import Notices
from tempseg_mm.visualization.coco_writer import require_pycocotools

from .coco_file import CocoImage, read_coco
from .coco_objects import CocoObjects, listed
from .coco_regions import region_mask, region_size
from .frame_names import FrameNames, last_digits

SUFFIX = '.json'


@dataclass(frozen=True)
class CocoMask:
    """The objects of an image, not decoded yet.

    Attributes:
        path: of the file.
        image: theirs.
        objects: id of each object, 1 to 255, and an annotation of it.
        names: object id -> name, '' without one, of all objects of the file.
    """
    path: str
    image: CocoImage
    objects: tuple
    names: Mapping[int, str]

    def __str__(self) -> str:
        return self.path

    def labels(self, shape: tuple, notices: Notices) -> np.ndarray:
        """Decode them.

        Args:
            shape: (H, W) of the frames, for a file that does not state that of the image.
            notices: told where objects overlap; the smaller one is on top.

        Returns:
            (H, W) uint8 object ids, 0 the background, of the size of the image.

        Raises:
            ValueError: for a broken region.
        """
        stated = (region_size(annotation.segmentation) for _, annotation in self.objects)
        size = self.image.size or next(filter(None, stated), tuple(shape[:2]))
        masks: dict[int, np.ndarray] = {}
        for i, annotation in self.objects:
            try:
                mask = region_mask(annotation.segmentation, size)
            except ValueError as error:
                raise ValueError(f'mask {self.path}: annotation {annotation.id}, of {self.image.file_name}, {error}'
                                 ) from error
            masks[i] = masks[i] | mask if i in masks else mask
        areas = {i: np.count_nonzero(mask) for i, mask in masks.items()}
        labels = np.zeros(size, np.uint8)
        for i in sorted(masks, key=lambda i: (-areas[i], i)):
            labels[masks[i]] = i
        if sum(areas.values()) > np.count_nonzero(labels):
            notices.add('holds objects that overlap: shared pixels went to the smaller one',
                        file=f'{self.image.file_name} in {self.path}')
        return labels


def is_coco(mask: object) -> bool:
    """Whether a mask is given as a file of JSON."""
    return isinstance(mask, (str, os.PathLike)) and Path(mask).suffix.lower() == SUFFIX


def coco_masks(path: str | os.PathLike, names: FrameNames, notices: Notices, *, frame_id: int | None = None
               ) -> list[tuple[int, CocoMask]]:
    """The masks of a file with their frames.

    Images are frames by ``file_name``, else by ``frame_id``, else, in a video, by the number at the end of their name.
    If only one image has annotations, it may be called anything: it is for the frame that is asked for, or that the
    file is named after, or the first one. Images without annotations say nothing.

    Args:
        path: of the file.
        names: of the frames.
        notices: told what was understood.
        frame_id: take its mask alone; ``None``: all.

    Returns:
        In the order of frames.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: what is no COCO JSON; no image of the frames; a box without a region; more than 255 objects.
        ImportError: without pycocotools.
    """
    path, told = os.fspath(path), Notices()
    require_pycocotools()
    try:
        frames = _frames(path, _of_one_sequence(read_coco(path), names), names, told, frame_id)
        taken = {i: image for i, image in frames.items() if (names.is_within(i) if frame_id is None else i == frame_id)}
        if not taken:
            raise ValueError(f'it has no mask of {"the frames to segment" if frame_id is None else f"frame {frame_id}"}'
                             f': its masks are of {_frames_text(frames)}, counted from 0')
        objects = CocoObjects(list(frames.values()))
        for i, image in taken.items():
            _require_regions(i, image)
    except ValueError as error:
        raise ValueError(f'mask {path}: {error}') from error
    masks = [(i, CocoMask(path, image, tuple((objects.id_of(one), one) for one in image.annotations), objects.names))
             for i, image in taken.items()]
    shown = [objects.text(i) for i in sorted({i for _, mask in masks for i, _ in mask.objects})]
    notices.add(f'{path} was read as COCO JSON: masks of {_frames_text(taken)}, with {listed(shown)}, {objects.by}')
    notices.update(told)
    if frame_id is None:
        _tell_what_is_odd(path, frames, taken, names, notices)
    if any(annotation.is_crowd for image in taken.values() for annotation in image.annotations):
        notices.add(f'{path} marks annotations as crowds ("iscrowd"), which were taken as an object each')
    return masks


def _of_one_sequence(images: list[CocoImage], names: FrameNames) -> list[CocoImage]:
    """Images with annotations, of the sequence that is called as the frames are, where a file holds several."""
    images = [image for image in images if image.annotations]
    if not images:
        raise ValueError('it has no annotation')
    held = {image.sequence.casefold(): image.sequence for image in images}
    if len(held) == 1:
        return images
    if names.sequence.casefold() not in held:
        raise ValueError(f'it holds {len(held)} sequences, {listed(list(held.values()))}, and none is called '
                         f'{names.sequence}: name the video or its folder as one of them')
    return [image for image in images if image.sequence.casefold() == names.sequence.casefold()]


def _frames(path: str, images: list[CocoImage], names: FrameNames, told: Notices, frame_id: int | None
            ) -> dict[int, CocoImage]:
    """Frame number -> its image, in order."""
    found: dict[int, CocoImage] = {}
    lone: list[CocoImage] = []
    for image in images:
        i = _frame_of(image, names)
        if i is not None and i in found:
            raise ValueError(f'images {found[i].file_name} and {image.file_name} are both frame {i}')
        if i is None:
            lone.append(image)
        else:
            found[i] = image
    if len(images) == 1:
        [image] = images
        if frame_id is not None:
            if found and frame_id not in found:
                told.add(f'{path} was taken for frame {frame_id} ({names.name(frame_id)}), though its image is called '
                         f'{image.file_name}')
            return {frame_id: image}
        if not found:
            i, note = names.place(f'mask {path}', None, Path(path).stem)
            told.add(note or f'{image.file_name}, the one image with masks in {path}, has the name of no frame: taken '
                             'for the first one; FILE@FRAME says which it is for')
            return {names.start if i is None else i: image}
    if not found:
        raise ValueError(f'none of its {len(images)} images with masks is a frame: they are called '
                         f'{listed([image.file_name for image in images])}, and frames {names.name(names.start)}, ...; '
                         'rename them, or give a file with one image and FILE@FRAME')
    if lone:
        told.add(f'{path} has masks of {listed([image.file_name for image in lone])}, which are no frames: left out')
    return dict(sorted(found.items()))


def _frame_of(image: CocoImage, names: FrameNames) -> int | None:
    by_name = names.meant(image.stem)
    if by_name is not None or image.frame_id is not None:
        return image.frame_id if by_name is None else by_name
    return int(last_digits(image.stem)) if names.names is None and last_digits(image.stem) else None


def _require_regions(i: int, image: CocoImage) -> None:
    for annotation in image.annotations:
        if annotation.segmentation is None:
            is_box = isinstance(annotation.box, list) and len(annotation.box) == 4 and all(
                isinstance(value, int | float) for value in annotation.box)
            box = ','.join(f'{value:g}' for value in annotation.box) if is_box else ''
            way = (f'a mask is made of it if it is given as --box {box}@{i}; ' if is_box else '') + \
                'take it out of the file'
            raise ValueError(f'annotation {annotation.id}, of {image.file_name}, is {"a box" if is_box else "nothing"} '
                             f'without a "segmentation": {way}')


def _tell_what_is_odd(path: str, frames: Mapping, taken: Mapping, names: FrameNames, notices: Notices) -> None:
    if outside := [i for i in frames if i not in taken]:
        notices.add(f'{path} has masks of {_frames_text(outside)}, which are not among those to segment: left out')
    if len(taken) > 1 and len(taken) == names.num_frames:
        notices.add(f'{path} gives the masks of all frames, so nothing is left to segment: {path}@{names.start} takes '
                    'the first alone')


def _frames_text(frames: Collection[int]) -> str:
    return f'frame{"" if len(frames) == 1 else "s"} {listed(list(map(str, frames)))}'
