"""One sequence on disk as a small handle that decodes on demand. Made by data sets, read by everything after them."""

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

    ``size`` arguments: ``None`` as stored, (H, W) exactly that, an int the shorter side with the aspect kept.

    Attributes:
        name: unique within its data set; results are filed under it.
        frame_paths: T image files in order.
        mask_paths: T annotation files; ``None`` for a frame that is not annotated.
        flow_paths: T-1 ``.flo`` files, entry i running from frame i to i+1, ``None`` where there is none; or empty.
        objects: what an object is: ``'merged'``, all that is not background, as one, 1, as DAVIS 2016 has it;
            ``'apart'``, each id of the annotations; or an id: that one alone, as 1.
        threshold: instead, for annotations whose values are known: pixels above it count as object. Without it, what
            values mean is said in :mod:`~tempseg_mm.sources.mask_regions`.
        annotation_size: (H, W) of the annotations where it is not that of the frames; frames are then brought to it
            as they are decoded, so that nothing is scored against a mask that was resized.
        groups: id -> name of the group over which a benchmark averages the object, such as ``'seen'``; often none.
        asked: stems of the frames whose masks a benchmark takes; ``None``: of all.

    Raises:
        ValueError: if there are no frames, the numbers of paths do not fit, ``objects`` is none of the above or more
            than ``'merged'`` with a ``threshold``, or the name is no plain one
            (:func:`~tempseg_mm.runtime.safe_path.plain_name`), so that nothing filed under it can leave its folder.
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
        """(H, W) of the sequence: ``annotation_size``, or that of frame 0 as stored, read from the file's header."""
        return self.annotation_size or image_size(self.frame_paths[0])

    def file_name(self, i: int) -> str:
        """Stem of the file of frame i, e.g. ``'00007'``."""
        self._check_index(i, len(self))
        return os.path.splitext(os.path.basename(self.frame_paths[i]))[0]

    def is_annotated(self, i: int) -> bool:
        """Whether frame i has an annotation file."""
        self._check_index(i, len(self))
        return self.mask_paths[i] is not None

    def frame(self, i: int, size: Size = None) -> np.ndarray:
        """Decodes frame i.

        Returns:
            (H, W, 3) uint8 RGB.

        Raises:
            IndexError: if there is no frame i.
            OSError: if the file is missing or cannot be decoded.
            ValueError: if the frame's stored size is not that of frame 0.
        """
        stored = self._frame_size(i)
        with read_as('frame of a data set'):
            return read_image(self.frame_paths[i], target_size(size, self.annotation_size or stored))

    def mask(self, i: int, size: Size = None) -> np.ndarray | None:
        """Decodes the annotation of frame i.

        Returns:
            (H, W) uint8, 1 on the object, or on any of those that are told apart; ``None`` if the frame is not
            annotated.

        Raises:
            IndexError: if there is no frame i.
            OSError: if the file is missing or cannot be decoded.
            ValueError: if its stored size is not that of the frame, or ``annotation_size``, or its values say nothing
                sensible.
        """
        labels = self.annotation(i)
        if labels is None:
            return None
        return resize_mask((labels.ids > 0).view(np.uint8), target_size(size, labels.ids.shape))

    def annotation(self, i: int) -> Labels | None:
        """Decodes the annotation of frame i at its stored size: its objects as :attr:`objects` has them, and void.

        Returns:
            1 on the object, or the ids of those that are told apart; ``None`` if the frame is not annotated.

        Raises:
            IndexError, OSError, ValueError: as :meth:`mask`.
        """
        labels = self.labels(i)
        if labels is None or self.threshold is not None or self.objects == APART:
            return labels
        if self.objects == MERGED:
            return Labels((labels.ids > 0).view(np.uint8), labels.void)
        if self.objects == VOID and labels.void is not None:  # asked for, so it is an object
            return Labels(labels.void.view(np.uint8))
        return Labels((labels.ids == self.objects).view(np.uint8), labels.void)

    def labels(self, i: int) -> Labels | None:
        """Decodes the annotation of frame i at its stored size, with the ids of all its objects.

        Returns:
            ``None`` if the frame is not annotated. With a ``threshold`` there is one object, 1.

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
        """Id of each object that is told apart, ascending -> index of the first frame whose annotation shows it.

        The first call reads all annotations; each process remembers.

        Raises:
            OSError, ValueError: as :meth:`mask`.
        """
        return _first_shown(self.mask_paths)

    @property
    def merged_ids(self) -> tuple:
        """Ids of the objects that count as one, ascending, as far as annotations were read in this process.

        Nothing where there is one object, or where they are told apart.
        """
        if self.objects != MERGED or self.threshold is not None:
            return ()
        ids = sorted(_reader_of(self.mask_paths).names.known)
        return tuple(ids) if len(ids) > 1 else ()

    @property
    def notices(self) -> list:
        """How annotations that were read in this process were understood, where that is not plain."""
        return [] if self.threshold is not None else list(_reader_of(self.mask_paths).notices)

    def flow(self, i: int, size: Size = None) -> np.ndarray | None:
        """Reads the forward flow from frame i to i+1.

        Returns:
            (H, W, 2) float32, (x, y) in pixels of the returned size; ``None`` if there is no file for it.

        Raises:
            IndexError: if there is no such pair of frames.
            OSError: if the file is missing or broken.
            ValueError: if its stored size is not that of the frame, or a vector of it is not finite.
        """
        self._check_index(i, len(self) - 1)
        if not self.flow_paths or self.flow_paths[i] is None:
            return None
        flow = read_flo(self.flow_paths[i])
        stored = image_size(self.frame_paths[i])
        self._check_same_size(i, self.flow_paths[i], flow.shape[:2], stored)
        if not np.isfinite(flow).all():
            raise ValueError(f'{self.flow_paths[i]} holds vectors that are not finite (sequence {self.name!r}); remove '
                             'it, and the flow is estimated, or make it again')
        return resize_flow(flow, target_size(size, self.annotation_size or stored))

    def files(self, i: int) -> tuple:
        """Paths of frame i, of its annotation and of the flow from it, as far as they are there."""
        self._check_index(i, len(self))
        return tuple(filter(None, (self.frame_paths[i], self.mask_paths[i], *self.flow_paths[i:i + 1])))

    def verify(self, i: int) -> None:
        """Reads the :meth:`files` of frame i to their ends, which a truncated JPEG is not when it is decoded for use.

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
        """(H, W) of frame i as stored, which must be that of frame 0."""
        self._check_index(i, len(self))
        path = self.frame_paths[i]
        with read_as('frame of a data set'):
            stored, first = image_size(path), image_size(self.frame_paths[0])
        if stored != first:
            raise ValueError(f'frames of sequence {self.name!r} differ in size: {path} is {_text(stored)}, the first, '
                             f'{self.frame_paths[0]}, is {_text(first)}; bring them to one size first')
        return stored

    def _check_index(self, i: int, stop: int) -> None:
        if not 0 <= i < stop:
            raise IndexError(f'sequence {self.name!r} has {len(self)} frames; index {i} is not in 0..{stop - 1}')

    def _check_same_size(self, i: int, path: str, size: tuple, frame_size: tuple) -> None:
        if tuple(size) != tuple(frame_size):
            verb = 'is' if self.annotation_size is None else 'is to be read at'
            raise ValueError(f'{path} is {_text(size)}, but its frame {self.frame_paths[i]} {verb} {_text(frame_size)} '
                             f'(sequence {self.name!r}); both must have one size{self._turned(i)}')

    def _turned(self, i: int) -> str:
        if image_header(self.frame_paths[i]).turn == 1:
            return ''
        return ('. The frame is turned upright, as its EXIF notes: turn what belongs to it likewise, or save the '
                'frames without EXIF')


@lru_cache(maxsize=1000)
def _reader_of(mask_paths: tuple) -> MaskReader:
    """The reader of a sequence, kept by each process; what it finds does not depend on which mask is read first."""
    return MaskReader(masks=[path for path in mask_paths if path is not None])


@lru_cache(maxsize=1000)
def _first_shown(mask_paths: tuple) -> Mapping[int, int]:
    found: dict[int, int] = {}
    for i, path in enumerate(mask_paths):
        for object_id in ids_of(_reader_of(mask_paths).read(path).ids) if path is not None else ():
            found.setdefault(object_id, i)
    return MappingProxyType(dict(sorted(found.items())))


def check_objects(objects: str | int) -> None:
    """Check what is to count as an object.

    Raises:
        ValueError: if it is none of ``'merged'``, ``'apart'`` and 1 to 255.
    """
    if objects not in (MERGED, APART) and not (isinstance(objects, int) and 1 <= objects <= VOID):
        raise ValueError(f"objects must be 'merged' (all are one), 'apart' (each id is one) or an id, 1 to {VOID}; got "
                         f'{objects!r}')


def _text(size: tuple) -> str:
    """Height and width for messages."""
    return f'{size[0]}x{size[1]} (height x width)'
