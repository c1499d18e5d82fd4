"""COCO JSON files of masks, for a video, a finished result or a test. Used by exports and by the submission hook.

pycocotools encodes the masks.
"""

import importlib.util
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import numpy as np

from tempseg_mm.runtime.atomic import written_beside


def require_pycocotools() -> None:
    """Raise ImportError, with the line that installs it, if pycocotools is missing. Call it before any other work."""
    if importlib.util.find_spec('pycocotools') is None:
        raise ImportError('COCO JSON needs a package that is not installed: pip install pycocotools')


class CocoWriter:
    """Writes images and their masks one by one. It keeps one line of text per image in memory, and no mask.

    ::

        with coco_file('coco.json') as coco:
            coco.add('00000.jpg', labels, {1: 'dog'}, frame_id=0)

    An annotation is one object in one image. It has ``segmentation`` (compressed RLE), ``bbox``, ``area``, ``track_id``
    (the object's id) and ``category_id`` (the object's name). If the images belong to several sequences, the file has
    ``videos``, and images and annotations have a ``video_id``, because object ids are unique only within a sequence.

    Args:
        file: receives the text, in order.
    """

    def __init__(self, file: TextIO) -> None:
        from pycocotools import mask
        self._rle, self._file = mask, file
        self._images: list[str] = []
        self._categories: dict[str, int] = {}
        self._videos: dict[str, int] = {}
        self._count = 0
        file.write('{"annotations": [')

    def add(self, file_name: str, labels: np.ndarray, names: Mapping[int, str], *, frame_id: int,
            sequence: str | None = None) -> None:
        """Add an image and its objects.

        Args:
            file_name: name of the image file.
            labels: (H, W) uint8 object ids.
            names: object id -> name of its category; an object without a name is called ``'object 3'``.
            frame_id: index of the image in its sequence, from 0.
            sequence: name of the sequence of the image, if the file has several.
        """
        height, width = labels.shape
        video = {} if sequence is None else dict(video_id=self._videos.setdefault(sequence, len(self._videos) + 1))
        self._images.append(json.dumps(dict(id=len(self._images) + 1, file_name=file_name, height=height, width=width,
                                            frame_id=frame_id, **video)))
        for i in np.unique(labels[labels > 0]).tolist():
            code = self._rle.encode(np.asfortranarray(labels == i, dtype=np.uint8))
            name = names.get(i) or f'object {i}'
            self._file.write((',\n' if self._count else '\n') + json.dumps(dict(
                id=self._count + 1, image_id=len(self._images), **video, track_id=i, iscrowd=0,
                category_id=self._categories.setdefault(name, len(self._categories) + 1),
                area=int(self._rle.area(code)), bbox=self._rle.toBbox(code).tolist(),
                segmentation=dict(code, counts=code['counts'].decode()))))
            self._count += 1

    def finish(self) -> None:
        """Write the parts that are known only at the end: images, categories and sequences."""
        parts = dict(images=self._images, categories=_named(self._categories))
        if self._videos:
            parts['videos'] = _named(self._videos)
        for part, lines in parts.items():
            self._file.write(f'\n], "{part}": [\n' + ',\n'.join(lines))
        self._file.write('\n]}\n')


@contextmanager
def coco_file(path: str | Path) -> Iterator[CocoWriter]:
    """Open a COCO file to add masks to. The file appears whole when the block ends without an error, or not at all.

    Args:
        path: the file; its folder is created.

    Raises:
        ImportError: without pycocotools.
        OSError: if the file cannot be written.
    """
    require_pycocotools()
    with written_beside(path) as beside, open(beside, 'w', encoding='utf-8') as file:
        coco = CocoWriter(file)
        yield coco
        coco.finish()


def _named(numbers: Mapping[str, int]) -> list[str]:
    return [json.dumps(dict(id=number, name=name)) for name, number in numbers.items()]
