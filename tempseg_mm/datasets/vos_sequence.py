"""One sequence on disk as a small handle that decodes files on demand."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from tempseg_mm.flow.flo_file import read_flo
from tempseg_mm.ops.resize import Size, resize_flow, resize_mask, target_size
from tempseg_mm.runtime.safe_path import plain_name
from tempseg_mm.sources.image_io import image_header, image_size, read_image, verify_image
from tempseg_mm.sources.mask_files import Labels, MaskReader
from tempseg_mm.sources.mask_regions import VOID
from tempseg_mm.sources.stored_mask import decode_mask
from tempseg_mm.sources.unreadable import read_as
from tempseg_mm.structures.segmented_frame import ids_of

MERGED, APART = 'merged', 'apart'


@dataclass(frozen=True)
class VOSSequence:
    """Paths of the frames, annotations and flow of one sequence; picklable, a few kilobytes.

    Arguments named ``size`` accept ``None`` (as stored), (H, W) (exactly that size) or an int (length of the shorter
    side, with the aspect ratio kept).

    Attributes:
        name: name of the sequence, unique within its data set; results are stored under it.
        frame_paths: T image files in order.
        mask_paths: T annotation files; ``None`` for a frame that is not annotated.
        flow_paths: T-1 ``.flo`` files, or empty. Entry i runs from frame i to i+1; ``None`` if the file is missing.
        objects: what counts as an object. ``'merged'``: everything except background, as object 1, as in DAVIS 2016.
            ``'apart'``: each id of the annotations. An id: only this object, as 1.
        threshold: pixels above it are the object; for annotations with known values. If it is ``None``, values are
            interpreted as :mod:`~tempseg_mm.sources.mask_regions` describes.
        annotation_size: (H, W) of the annotations if it differs from the size of the frames; ``None`` if it does not.
            Decoded frames are then resized to it, so that no mask is resized before it is scored.
        groups: id -> name of the group over which a benchmark averages the object, such as ``'seen'``; often empty.
        asked: stems of the frames whose masks a benchmark evaluates; ``None``: all frames.

    Raises:
        ValueError: if there are no frames, the numbers of paths do not fit, ``objects`` is none of the above, or
            ``objects`` is not ``'merged'`` although there is a ``threshold``. Also if the name is not a plain one
            (:func:`~tempseg_mm.runtime.safe_path.plain_name`), so that no result can be written outside its folder.
    """
    name: str
    frame_paths: tuple
    mask_paths: tuple
    flow_paths: tuple = ()
    objects: str | int = MERGED
    threshold: int | None = None
    annotation_size: tuple | None = None
    groups: Mapping = field(default_factory=dict, hash=False)
    asked: frozenset | None = None

    def __post_init__(self) -> None:
        plain_name(self.name, what='sequence name')
        check_objects(self.objects)
        if self.objects != MERGED and self.threshold is not None:
            raise ValueError(f'sequence {self.name!r}: objects are told apart by their ids (objects={self.objects!r}) '
                             f'or by threshold ({self.threshold}), not by both')
        if not self.frame_paths:
            raise ValueError(f'sequence {self.name!r} has no frames')
        for what, paths, lengths in (('mask_paths', self.mask_paths, (len(self),)),
                                     ('flow_paths', self.flow_paths, (0, len(self) - 1))):
            if len(paths) not in lengths:
                raise ValueError(f'sequence {self.name!r} has {len(self)} frames, so {what} must have '
                                 f'{" or ".join(map(str, lengths))} entries, got {len(paths)}')

    def __len__(self) -> int:
        return len(self.frame_paths)

    @property
    def shape(self) -> tuple:
        """(H, W) of the sequence in pixels: ``annotation_size``, or the stored size of frame 0 from its header."""
        return self.annotation_size or image_size(self.frame_paths[0])

    def file_name(self, i: int) -> str:
        """Return the stem of the file of frame i, e.g. ``'00007'``."""
        self._check_index(i, len(self))
        return os.path.splitext(os.path.basename(self.frame_paths[i]))[0]

    def is_annotated(self, i: int) -> bool:
        """Return True if frame i has an annotation file."""
        self._check_index(i, len(self))
        return self.mask_paths[i] is not None

    def frame(self, i: int, size: Size = None) -> np.ndarray:
        """Decode frame i.

        Returns:
            (H, W, 3) uint8 RGB.

        Raises:
            IndexError: if there is no frame i.
            OSError: if the file is missing or cannot be decoded.
            ValueError: if the stored size of the frame differs from that of frame 0.
        """
        stored = self._frame_size(i)
        with read_as('frame of a data set'):
            return read_image(self.frame_paths[i], target_size(size, self.annotation_size or stored))

    def mask(self, i: int, size: Size = None) -> np.ndarray | None:
        """Decode the annotation of frame i as one binary mask.

        Returns:
            (H, W) uint8, 1 on any object; ``None`` if the frame is not annotated.

        Raises:
            IndexError: if there is no frame i.
            OSError: if the file is missing or cannot be decoded.
            ValueError: if its stored size is not that of the frame (or ``annotation_size``), or its values have no
                meaning.
        """
        labels = self.annotation(i)
        if labels is None:
            return None
        return resize_mask((labels.ids > 0).view(np.uint8), target_size(size, labels.ids.shape))

    def annotation(self, i: int) -> Labels | None:
        """Decode the annotation of frame i at its stored size, with the objects that :attr:`objects` selects.

        Returns:
            The objects, each with its id if they are told apart, else as 1; and void pixels. ``None`` if not annotated.

        Raises:
            IndexError, OSError, ValueError: as :meth:`mask`.
        """
        labels = self.labels(i)
        if labels is None or self.threshold is not None or self.objects == APART:
            return labels
        if self.objects == MERGED:
            return Labels((labels.ids > 0).view(np.uint8), labels.void)
        if self.objects == VOID and labels.void is not None:  # selected by its id, so it is an object
            return Labels(labels.void.view(np.uint8))
        return Labels((labels.ids == self.objects).view(np.uint8), labels.void)

    def labels(self, i: int) -> Labels | None:
        """Decode the annotation of frame i at its stored size, with the ids of all its objects.

        Returns:
            The labels; with a ``threshold`` they have one object, 1. ``None`` if the frame is not annotated.

        Raises:
            IndexError, OSError, ValueError: as :meth:`mask`.
        """
        if not self.is_annotated(i):
            return None
        stored = decode_mask(self.mask_paths[i])
        size = self.annotation_size or image_size(self.frame_paths[i])
        self._check_same_size(i, self.mask_paths[i], stored.pixels.shape[:2], size)
        if self.threshold is not None:
            return Labels(stored.above(self.threshold))
        return _reader_of(self.mask_paths).labels_of(stored)

    @property
    def first_shown(self) -> Mapping[int, int]:
        """Id of each object that the annotations tell apart, ascending -> index of the first frame that shows it.

        The first access reads all annotations; each process caches the result.

        Raises:
            OSError, ValueError: as :meth:`mask`.
        """
        return _first_shown(self.mask_paths)

    @property
    def merged_ids(self) -> tuple:
        """Ids of the objects that count as one, ascending, in the annotations that this process has read.

        Empty if there is only one object, or if objects are told apart.
        """
        if self.objects != MERGED or self.threshold is not None:
            return ()
        ids = sorted(_reader_of(self.mask_paths).names.known)
        return tuple(ids) if len(ids) > 1 else ()

    @property
    def notices(self) -> list:
        """Sentences on how annotations that this process has read were interpreted, as far as there was a choice."""
        return [] if self.threshold is not None else list(_reader_of(self.mask_paths).notices)

    def flow(self, i: int, size: Size = None) -> np.ndarray | None:
        """Read the forward flow from frame i to i+1.

        Returns:
            (H, W, 2) float32, (x, y) in pixels of the returned size; ``None`` if there is no file.

        Raises:
            IndexError: if there is no such pair of frames.
            OSError: if the file is missing or broken.
            ValueError: if its stored size is not that of the frame, or one of its vectors is not finite.
        """
        self._check_index(i, len(self) - 1)
        if not self.flow_paths or self.flow_paths[i] is None:
            return None
        flow = read_flo(self.flow_paths[i])
        stored = image_size(self.frame_paths[i])
        self._check_same_size(i, self.flow_paths[i], flow.shape[:2], stored)
        if not np.isfinite(flow).all():
            raise ValueError(f'{self.flow_paths[i]} holds vectors that are not finite (sequence {self.name!r}); remove '
                             'it so that the flow is estimated, or create it again')
        return resize_flow(flow, target_size(size, self.annotation_size or stored))

    def files(self, i: int) -> tuple:
        """Return the paths of frame i, its annotation and the flow from it, as far as they exist."""
        self._check_index(i, len(self))
        return tuple(filter(None, (self.frame_paths[i], self.mask_paths[i], *self.flow_paths[i:i + 1])))

    def verify(self, i: int) -> None:
        """Read the :meth:`files` of frame i completely; decoding a frame for use does not detect a truncated JPEG.

        Raises:
            OSError, ValueError: as :meth:`frame`, :meth:`mask` and :meth:`flow`.
        """
        self._frame_size(i)
        with read_as('frame of a data set'):
            verify_image(self.frame_paths[i])
        self.mask(i)
        if i < len(self) - 1:
            self.flow(i)

    def _frame_size(self, i: int) -> tuple:
        """Return (H, W) of frame i as stored, which must be that of frame 0."""
        self._check_index(i, len(self))
        path = self.frame_paths[i]
        with read_as('frame of a data set'):
            stored, first = image_size(path), image_size(self.frame_paths[0])
        if stored != first:
            raise ValueError(f'frames of sequence {self.name!r} differ in size: {path} is {_text(stored)}, the first, '
                             f'{self.frame_paths[0]}, is {_text(first)}; resize them to one size first')
        return stored

    def _check_index(self, i: int, stop: int) -> None:
        if not 0 <= i < stop:
            raise IndexError(f'sequence {self.name!r} has {len(self)} frames; index {i} is not in 0..{stop - 1}')

    def _check_same_size(self, i: int, path: str, size: tuple, frame_size: tuple) -> None:
        if tuple(size) != tuple(frame_size):
            verb = 'is' if self.annotation_size is None else 'is to be read at'
            raise ValueError(f'{path} is {_text(size)}, but its frame {self.frame_paths[i]} {verb} {_text(frame_size)} '
                             f'(sequence {self.name!r}); both must have the same size{self._turned(i)}')

    def _turned(self, i: int) -> str:
        if image_header(self.frame_paths[i]).turn == 1:
            return ''
        return ('. The frame is turned upright, as its EXIF notes: turn its annotation and flow in the same way, or '
                'save the frames without EXIF')


@lru_cache(maxsize=1000)
def _reader_of(mask_paths: tuple) -> MaskReader:
    """Return the mask reader of a sequence, cached per process. Its results do not depend on the order of reading."""
    return MaskReader(masks=[path for path in mask_paths if path is not None])


@lru_cache(maxsize=1000)
def _first_shown(mask_paths: tuple) -> Mapping[int, int]:
    found: dict[int, int] = {}
    for i, path in enumerate(mask_paths):
        for object_id in ids_of(_reader_of(mask_paths).read(path).ids) if path is not None else ():
            found.setdefault(object_id, i)
    return MappingProxyType(dict(sorted(found.items())))


def check_objects(objects: str | int) -> None:
    """Raise ValueError if ``objects`` is none of ``'merged'``, ``'apart'`` and 1 to 255."""
    if objects not in (MERGED, APART) and not (isinstance(objects, int) and 1 <= objects <= VOID):
        raise ValueError("objects must be 'merged' (all count as one), 'apart' (each id is one object) or an id, 1 to "
                         f'{VOID}; got {objects!r}')


def _text(size: tuple) -> str:
    """Format height and width for messages."""
    return f'{size[0]}x{size[1]} (height x width)'
