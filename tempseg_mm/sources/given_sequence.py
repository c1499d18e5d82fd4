"""The input of a ``Segmenter``: the frames of a sequence and the masks that are given for some of them.

A data-set sequence, a video and a stream all implement this class.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import cached_property
from types import MappingProxyType

import numpy as np

from .frame_source import SourceFrame
from .mask_files import Labels


class GivenSequence(ABC):
    """Frames in order, with given masks.

    Attributes:
        name: name of the sequence. The name and the seed decide every random draw of fine-tuning.
        labels: frame number -> given mask, (H, W) uint8 object ids; at least one.
        start: number of the first frame.
        num_frames: number of frames; ``None`` if it is not known.
        ends: whether an object ends where a later given mask does not show it. If False, the network continues such an
            object as if no mask were given. Set it for complete annotations, which also say where objects are absent.
        hidden: ids of objects that existed before, but are missing from the first given mask. The network searches the
            whole frame for them.
        remembered: frame number -> (H, W) uint8 object ids of given masks that are not part of the walk. They tell how
            large the objects are.
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
        """Number of the first frame that has a given mask."""
        return min(self.labels)

    @property
    def object_ids(self) -> tuple:
        """Ids of all objects in the given masks, ascending."""
        return tuple(sorted({int(i) for labels in self.labels.values() for i in np.unique(labels)} - {0}))

    def areas(self, object_id: int) -> dict[int, int]:
        """Return frame number -> area of an object in pixels, for each given mask that shows the object."""
        found = {i: int(np.count_nonzero(labels == object_id))
                 for i, labels in {**self.remembered, **self.labels}.items()}
        return {i: area for i, area in found.items() if area}

    def mentioned(self, frame_id: int) -> frozenset:
        """Return the ids of the objects that a given mask decides: those it shows and, with :attr:`ends`, ends."""
        shown = frozenset(np.unique(self.labels[frame_id]).tolist()) - {0}
        return shown | self._given_before(frame_id) if self.ends else shown

    def going_on(self, frame_id: int) -> tuple:
        """Return the ids of earlier objects that a frame's given mask leaves to the network; empty without a mask."""
        if frame_id not in self.labels:
            return ()
        return tuple(sorted(self._given_before(frame_id) - self.mentioned(frame_id)))

    def answer(self, frame_id: int) -> np.ndarray | None:
        """Return the given mask that is used as the result of a frame, instead of the network's answer.

        By default every given mask is a result. In a test, only the first mask of each object is.

        Returns:
            (H, W) uint8 object ids; ``None`` if the network answers for all objects.
        """
        return self.labels.get(frame_id)

    def unanswered(self, frame_id: int) -> tuple:
        """Return the ids of earlier objects for which the network answers, in a frame with an :meth:`answer`."""
        return self.going_on(frame_id)

    def _given_before(self, frame_id: int) -> frozenset:
        return frozenset(object_id for object_id, first in self._first_shown.items() if first < frame_id)

    @cached_property
    def _first_shown(self) -> dict:
        """Object id -> number of the first frame whose given mask shows the object."""
        found: dict = {}
        for frame_id in sorted(self.labels):
            for object_id in np.unique(self.labels[frame_id]).tolist():
                found.setdefault(object_id, frame_id)
        found.pop(0, None)
        return found

    @abstractmethod
    def frames(self) -> Iterator[SourceFrame]:
        """Yield all frames in order, in their original size. Each frame is decoded when it is requested."""

    @abstractmethod
    def given_image(self, frame_id: int) -> np.ndarray:
        """Return the picture of a frame with a given mask, (H, W, 3) uint8 RGB."""

    def earlier(self, frame_id: int) -> SourceFrame:
        """Return a frame before the first given one, for the walk backwards; it may be shrunk to the working size."""
        raise ValueError(f'sequence {self.name}: frame {frame_id} was not kept, so it cannot be walked backwards')

    @property
    def size(self) -> tuple:
        """Size of the frames, (H, W) in pixels."""
        return self.labels[self.first_given].shape

    def truth(self, frame: SourceFrame) -> Labels | None:
        """Return the ground truth of a frame; ``None`` without one."""
        return None
