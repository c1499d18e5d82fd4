"""Given masks from COCO JSON: finds the frame of each image and the object of each annotation.

Such a file states exactly what its masks mean, so :mod:`~tempseg_mm.sources.mask_regions` has nothing to decide.
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
    """The objects of one image, not decoded yet.

    Attributes:
        path: path of the JSON file.
        image: the image.
        objects: pairs (object id from 1 to 255, annotation); an object may have several annotations.
        names: object id -> name, of all objects of the file; '' without a name.
    """
    path: str
    image: CocoImage
    objects: tuple
    names: Mapping[int, str]

    def __str__(self) -> str:
        return self.path

    def labels(self, shape: tuple, notices: Notices) -> np.ndarray:
        """Decode the objects of the image into one label map.

        Args:
            shape: (H, W) of the frames, used if the file does not state the size of the image.
            notices: receives a notice if objects overlap; shared pixels go to the smaller object.

        Returns:
            (H, W) uint8 object ids in the size of the image; 0 is the background.

        Raises:
            ValueError: if a region is broken.
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
            notices.add('holds objects that overlap: shared pixels went to the smaller object',
                        file=f'{self.image.file_name} in {self.path}')
        return labels


def is_coco(mask: object) -> bool:
    """Return True if a mask is given as the path of a JSON file."""
    return isinstance(mask, (str, os.PathLike)) and Path(mask).suffix.lower() == SUFFIX


def coco_masks(path: str | os.PathLike, names: FrameNames, notices: Notices, *, frame_id: int | None = None
               ) -> list[tuple[int, CocoMask]]:
    """Read the masks of a file and find their frames.

    The frame of an image follows from its ``file_name``, else from its ``frame_id``, else, if the frames come from a
    video, from the number at the end of its name. If only one image has annotations, it may have any name: it is for
    ``frame_id``, or for the frame that the JSON file is named after, or for the first frame. Images without annotations
    are ignored.

    Args:
        path: path of the JSON file.
        names: names of the frames.
        notices: receives how the file was read.
        frame_id: the only frame whose mask is wanted; ``None``: all frames to segment.

    Returns:
        Pairs (frame number, mask) in the order of frames.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is no COCO JSON, none of its images is a wanted frame, an annotation has a box but no
            segmentation, or there are more than 255 objects.
        ImportError: if pycocotools is not installed.
    """
    path, told = os.fspath(path), Notices()
    require_pycocotools()
    try:
        frames = _frames(path, _of_one_sequence(read_coco(path), names), names, told, frame_id)
        taken = {i: image for i, image in frames.items() if (names.is_within(i) if frame_id is None else i == frame_id)}
        if not taken:
            raise ValueError(f'it has no mask of {"the frames to segment" if frame_id is None else f"frame {frame_id}"}'
                             f': it has masks of {_frames_text(frames)}, counted from 0')
        objects = CocoObjects(list(frames.values()))
        for i, image in taken.items():
            _require_regions(i, image)
    except ValueError as error:
        raise ValueError(f'mask {path}: {error}') from error
    masks = [(i, CocoMask(path, image, tuple((objects.id_of(one), one) for one in image.annotations), objects.names))
             for i, image in taken.items()]
    shown = [objects.text(i) for i in sorted({i for _, mask in masks for i, _ in mask.objects})]
    notices.add(f'{path} was read as COCO JSON: masks of {_frames_text(taken)} with {listed(shown)}, {objects.by}')
    notices.update(told)
    if frame_id is None:
        _tell_what_is_odd(path, frames, taken, names, notices)
    if any(annotation.is_crowd for image in taken.values() for annotation in image.annotations):
        notices.add(f'{path} marks annotations as crowds ("iscrowd"); each of them was taken as one object')
    return masks


def _of_one_sequence(images: list[CocoImage], names: FrameNames) -> list[CocoImage]:
    """Return the images with annotations; if the file holds several sequences, only those of the frames' sequence."""
    images = [image for image in images if image.annotations]
    if not images:
        raise ValueError('it has no annotations')
    held = {image.sequence.casefold(): image.sequence for image in images}
    if len(held) == 1:
        return images
    if names.sequence.casefold() not in held:
        raise ValueError(f'it holds {len(held)} sequences, {listed(list(held.values()))}, and none is called '
                         f'{names.sequence}: rename the video or its folder to one of these names')
    return [image for image in images if image.sequence.casefold() == names.sequence.casefold()]


def _frames(path: str, images: list[CocoImage], names: FrameNames, told: Notices, frame_id: int | None
            ) -> dict[int, CocoImage]:
    """Map each frame number to its image, in the order of frames."""
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
            told.add(note or f'{image.file_name}, the only image with masks in {path}, has the name of no frame, so it '
                             'was taken for the first one; FILE@FRAME names another frame')
            return {names.start if i is None else i: image}
    if not found:
        raise ValueError(f'none of its {len(images)} images with masks is a frame: they are called '
                         f'{listed([image.file_name for image in images])}, and the frames are called '
                         f'{names.name(names.start)}, ...; rename them, or give a file with one image as FILE@FRAME')
    if lone:
        told.add(f'{path} has masks of {listed([image.file_name for image in lone])}, which are no frames; these masks '
                 'were left out')
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
            way = (f'give it as --box {box}@{i} to have a mask made from it, and ' if is_box else '') + \
                'take it out of the file'
            raise ValueError(f'annotation {annotation.id}, of {image.file_name}, has '
                             f'{"a box, but " if is_box else ""}no "segmentation": {way}')


def _tell_what_is_odd(path: str, frames: Mapping, taken: Mapping, names: FrameNames, notices: Notices) -> None:
    if outside := [i for i in frames if i not in taken]:
        notices.add(f'{path} has masks of {_frames_text(outside)}, which are not among those to segment; these masks '
                    'were left out')
    if len(taken) > 1 and len(taken) == names.num_frames:
        notices.add(f'{path} gives the masks of all frames, so nothing is left to segment: {path}@{names.start} takes '
                    'only the first mask')


def _frames_text(frames: Collection[int]) -> str:
    return f'frame{"" if len(frames) == 1 else "s"} {listed(list(map(str, frames)))}'
