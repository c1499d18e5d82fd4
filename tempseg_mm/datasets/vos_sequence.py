"""One sequence on disk as a small handle that decodes on demand. Made by data sets, read by everything after them."""

import os
from dataclasses import dataclass

import numpy as np

from tempseg_mm.flow.flo_file import read_flo
from tempseg_mm.ops.resize import Size, resize_flow, resize_mask, target_size
from tempseg_mm.runtime.safe_path import plain_name
from tempseg_mm.sources.image_io import image_header, image_size, read_image, verify_image
from tempseg_mm.sources.mask_files import read_mask
from tempseg_mm.sources.unreadable import read_as


@dataclass(frozen=True)
class VOSSequence:
    """Paths of the frames, annotations and flow of one sequence; picklable, a few kilobytes.

    ``size`` arguments: ``None`` as stored, (H, W) exactly that, an int the shorter side with the aspect kept.

    Attributes:
        name: unique within its data set; results are filed under it.
        frame_paths: T image files in order.
        mask_paths: T annotation files; ``None`` for a frame that is not annotated.
        flow_paths: T-1 ``.flo`` files, entry i running from frame i to i+1, ``None`` where there is none; or empty.
        object_id: pixels of an annotation that count as object; ``None``: all that are not 0.
        threshold: instead, for annotations with soft or noisy edges: pixels above it count as object.
        annotation_size: (H, W) of the annotations where it is not that of the frames; frames are then brought to it
            as they are decoded, so that nothing is scored against a mask that was resized.

    Raises:
        ValueError: if there are no frames, the numbers of paths do not fit, or the name is no plain one
            (:func:`~tempseg_mm.runtime.safe_path.plain_name`), so that nothing filed under it can leave its folder.
    """
    name: str
    frame_paths: tuple
    mask_paths: tuple
    flow_paths: tuple = ()
    object_id: int | None = None
    threshold: int | None = None
    annotation_size: tuple | None = None

    def __post_init__(self) -> None:
        plain_name(self.name, what='sequence name')
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
            (H, W) uint8, 1 on the object; ``None`` if the frame is not annotated.

        Raises:
            IndexError: if there is no frame i.
            OSError: if the file is missing or cannot be decoded.
            ValueError: if its stored size is not that of the frame, or ``annotation_size``.
        """
        if not self.is_annotated(i):
            return None
        mask = read_mask(self.mask_paths[i], self.object_id, threshold=self.threshold)
        stored = self.annotation_size or image_size(self.frame_paths[i])
        self._check_same_size(i, self.mask_paths[i], mask.shape, stored)
        return resize_mask(mask, target_size(size, stored))

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


def _text(size: tuple) -> str:
    """Height and width for messages."""
    return f'{size[0]}x{size[1]} (height x width)'
