"""What a ``Segmenter`` works on: the frames of a sequence, and masks that are given for some of them.

A data-set sequence, a video and a stream are this and nothing else.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import cached_property
from types import MappingProxyType

import numpy as np

from .frame_source import SourceFrame
from .mask_files import Labels


class GivenSequence(ABC):
    """Frames in order and given masks.

    Attributes:
        name: of the sequence; with the seed it decides every random draw of fine-tuning.
        labels: frame number -> (H, W) uint8 object ids, given; at least one.
        start: number of the first frame.
        num_frames: how many there are; ``None`` where nobody knows.
        ends: whether an object that a later given mask lacks ends there, or goes on as if nothing were given for it.
            Whole annotations, as data sets have them, say where an object is not, too.
        hidden: ids of objects that the first given mask does not show, but that were there before: they are looked for
            in the whole frame.
        remembered: frame number -> (H, W) uint8 ids, given masks that are not part of the walk, but tell how large
            objects are.
    """
    name: str
    labels: Mapping[int, np.ndarray]
    start: int = 0
    num_frames: int | None = None
    ends: bool = False
    hidden: tuple = ()
    remembered: Mapping[int, np.ndarray] = MappingProxyType({})

    @property
    def first_given(self) -> int:
        """Number of the first frame with a given mask."""
        return min(self.labels)

    @property
    def object_ids(self) -> tuple:
        """Of all objects in the given masks, ascending."""
        return tuple(sorted({int(i) for labels in self.labels.values() for i in np.unique(labels)} - {0}))

    def areas(self, object_id: int) -> dict[int, int]:
        """Frame number -> pixels of an object, of the given masks that show it."""
        found = {i: int(np.count_nonzero(labels == object_id))
                 for i, labels in {**self.remembered, **self.labels}.items()}
        return {i: area for i, area in found.items() if area}

    def mentioned(self, frame_id: int) -> frozenset:
        """Ids of the objects that a given mask speaks of: those it shows, and those it ends (:attr:`ends`)."""
        shown = frozenset(np.unique(self.labels[frame_id]).tolist()) - {0}
        return shown | self._given_before(frame_id) if self.ends else shown

    def going_on(self, frame_id: int) -> tuple:
        """Ids of the objects that were given before a frame with a given mask, and that this mask does not mention."""
        if frame_id not in self.labels:
            return ()
        return tuple(sorted(self._given_before(frame_id) - self.mentioned(frame_id)))

    def answer(self, frame_id: int) -> np.ndarray | None:
        """The given masks that are the answer of a frame, (H, W) uint8 ids: all of them, except in a test.

        Returns:
            ``None`` where the network answers for all objects.
        """
        return self.labels.get(frame_id)

    def unanswered(self, frame_id: int) -> tuple:
        """Ids of the objects, given before, for which the network answers where :meth:`answer` has something."""
        return self.going_on(frame_id)

    def _given_before(self, frame_id: int) -> frozenset:
        return frozenset(object_id for object_id, first in self._first_shown.items() if first < frame_id)

    @cached_property
    def _first_shown(self) -> dict:
        """Object id -> the first given frame that shows it."""
        found: dict = {}
        for frame_id in sorted(self.labels):
            for object_id in np.unique(self.labels[frame_id]).tolist():
                found.setdefault(object_id, frame_id)
        found.pop(0, None)
        return found

    @abstractmethod
    def frames(self) -> Iterator[SourceFrame]:
        """All frames in order, at their original size, each decoded when asked for."""

    @abstractmethod
    def given_image(self, frame_id: int) -> np.ndarray:
        """(H, W, 3) uint8 RGB of a frame with a given mask."""

    def earlier(self, frame_id: int) -> SourceFrame:
        """A frame before the first given one, for the walk backwards; perhaps shrunk to the working size."""
        raise ValueError(f'sequence {self.name}: frame {frame_id} was not kept, so it cannot be walked backwards')

    @property
    def size(self) -> tuple:
        """(H, W) of the frames."""
        return self.labels[self.first_given].shape

    def truth(self, frame: SourceFrame) -> Labels | None:
        """Annotation of a frame, to score against; ``None`` where there is none."""
        return None
