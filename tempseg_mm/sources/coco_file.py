"""Reads COCO JSON into images with annotations and checks that the file is consistent.

Files of YouTube-VIS, in which each annotation is a track, are converted to the same form.
"""

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from tempseg_mm.runtime.safe_path import printable

from .coco_regions import region_size
from .unreadable import image_fault

WHAT_COCO_IS = ('COCO JSON holds "images" with "id" and "file_name", and "annotations" with "image_id", "category_id" '
                'and "segmentation"; a file of YouTube-VIS holds "videos" with "file_names", and "annotations" with '
                '"segmentations"')


@dataclass(frozen=True)
class CocoAnnotation:
    """One object in one image.

    Attributes:
        id: the annotation's id in the file; if it has none, its position in the list, from 1.
        track: number that is the same in all images of an object; ``None`` if the file has none.
        category: name of its category; '' without one.
        segmentation: its segmentation as in the file; ``None`` without one.
        box: its box as in the file; ``None`` without one.
        is_crowd: whether the file marks it as several objects in one (``iscrowd``).
    """
    id: int
    track: int | None
    category: str
    segmentation: Any
    box: Any = None
    is_crowd: bool = False


@dataclass(frozen=True)
class CocoImage:
    """One image and its objects.

    Attributes:
        file_name: file name of the image, as in the JSON file.
        sequence: name of its video; without one, name of its folder.
        frame_id: position in its sequence, from 0; ``None`` if the file does not say.
        size: (H, W) in pixels; ``None`` if the file does not say.
        annotations: its objects, :class:`CocoAnnotation`.
    """
    file_name: str
    sequence: str
    frame_id: int | None
    size: tuple | None
    annotations: tuple

    @property
    def stem(self) -> str:
        """File name of the image without folder and suffix."""
        return PurePosixPath(self.file_name.replace('\\', '/')).stem


def read_coco(path: str | os.PathLike) -> list[CocoImage]:
    """Read all images of a file, with and without annotations.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is no COCO JSON, or contradicts itself. The caller adds the path to the message.
    """
    content = _loaded(os.fspath(path))
    _require_unique(content)
    if any('segmentations' in annotation for annotation in content['annotations']):
        _tracks_as_images(content)
    categories, videos = ({_key(entry): printable(str(entry.get('name') or '')) for entry in content[part]}
                          for part in ('categories', 'videos'))
    found: dict = {_key(image): [] for image in content['images']}
    for place, annotation in enumerate(content['annotations'], 1):
        named = _hashable(annotation.get('id', place))
        if (image := _hashable(annotation.get('image_id'))) not in found:
            raise ValueError(f'annotation {named} belongs to image {annotation.get("image_id")!r}, which is not among '
                             'its "images"')
        found[image].append(CocoAnnotation(
            named, _track(annotation), categories.get(_hashable(annotation.get('category_id')), ''),
            annotation.get('segmentation') or None, annotation.get('bbox') or None, bool(annotation.get('iscrowd'))))
    return [_image(image, videos, found[_key(image)]) for image in content['images']]


def _loaded(path: str) -> dict[str, list]:
    """Read the four parts that are used, each as a list of mappings."""
    if not os.path.isfile(path):
        raise image_fault(path, 'it is a folder' if os.path.isdir(path) else '', 'mask')
    try:
        with open(path, encoding='utf-8-sig') as file:
            content = json.load(file)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError among them
        raise ValueError(f'it is no JSON, or it is cut off ({error}): export it again') from error
    if isinstance(content, Mapping) and 'annotations' not in content and 'images' in content:
        raise ValueError('it lists images only and has no "annotations"')
    if not isinstance(content, Mapping) or 'annotations' not in content or not {'images', 'videos'} & content.keys():
        held = ', '.join(map(str, list(content)[:5])) if isinstance(content, Mapping) else type(content).__name__
        raise ValueError(f'it is no COCO JSON: {WHAT_COCO_IS}. This file holds: {held}')
    parts = {name: content.get(name) or [] for name in ('images', 'annotations', 'categories', 'videos')}
    for name, entries in parts.items():
        if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
            raise ValueError(f'"{name}" must be a list of entries: {WHAT_COCO_IS}')
    return parts


def _require_unique(content: Mapping[str, list]) -> None:
    for name, entries in content.items():
        number, count = next(iter(Counter(_key(entry) for entry in entries if 'id' in entry).most_common(1)), (0, 0))
        if count > 1:
            raise ValueError(f'{count} of its "{name}" have the id {number!r}, but ids must be unique')


def _tracks_as_images(content: dict[str, list]) -> None:
    """Convert tracks into annotations of images, in place; a track lists one segmentation per frame of its video."""
    lengths = {}
    for video in content['videos']:
        number, names = _key(video), video.get('file_names') or []
        if not isinstance(names, list):
            raise ValueError(f'"file_names" of video {number!r} must be a list: {WHAT_COCO_IS}')
        lengths[number] = len(names)
        shared = dict(video_id=number, width=video.get('width'), height=video.get('height'))
        content['images'] += [dict(shared, id=(number, i), file_name=name, frame_id=i) for i, name in enumerate(names)]
    annotations = []
    for place, track in enumerate(content['annotations'], 1):
        number, video = _hashable(track.get('id', place)), _hashable(track.get('video_id'))
        regions = track.get('segmentations')
        if not isinstance(regions, list) or len(regions) != lengths.get(video):
            raise ValueError(f'annotation {number} must have a segmentation, or null, for each of the '
                             f'{lengths.get(video, 0)} "file_names" of its video {track.get("video_id")!r}')
        annotations += [dict(track, id=number, image_id=(video, i), segmentation=region, bbox=None,
                             track_id=_track(track) or number) for i, region in enumerate(regions) if region]
    content['annotations'] = annotations


def _image(image: Mapping, videos: Mapping, annotations: list) -> CocoImage:
    name, frame_id = image.get('file_name'), image.get('frame_id')
    if not isinstance(name, str) or not name:
        raise ValueError(f'image {image.get("id")!r} has no "file_name", which says which frame its masks are for')
    size = region_size(dict(size=[image.get('height'), image.get('width')]))
    folder = PurePosixPath(name.replace('\\', '/')).parent.name
    sequence = videos.get(_hashable(image.get('video_id'))) or folder
    frame_id = frame_id if isinstance(frame_id, int) and frame_id >= 0 else None
    return CocoImage(printable(name), printable(sequence), frame_id, size, tuple(annotations))


def _track(annotation: Mapping) -> int | None:
    """Return the number of an object over images, as this project and MMTracking, CocoVID or CVAT store it."""
    attributes = annotation.get('attributes')
    found = [annotation.get('track_id'), annotation.get('instance_id'),
             attributes.get('track_id') if isinstance(attributes, Mapping) else None]
    return next((track for track in found if isinstance(track, int) and not isinstance(track, bool)), None)


def _key(entry: Mapping) -> Any:
    return _hashable(entry.get('id'))


def _hashable(value: Any) -> Any:
    return value if isinstance(value, int | str | tuple | None) else repr(value)
