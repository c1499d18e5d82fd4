"""A sequence of a data set together with the first masks of its objects, as a test uses it."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tempseg_mm.sources.frame_source import SourceFrame
from tempseg_mm.sources.given_sequence import GivenSequence
from tempseg_mm.sources.mask_files import Labels

from .vos_sequence import APART


class AnnotatedSequence(GivenSequence):
    """Gives the first mask of each object to the segmenter: in frame 0, or in the frame where the object first shows.

    That first mask is also the answer for its frame. Further given masks of an object correct the reference for the
    frames after them, but in their own frames the network's answer counts, so no given mask is scored. If every
    annotation shows a new object, as in the hidden splits of benchmarks, all annotations are given and none is scored.

    Args:
        sequence: a ``VOSSequence``.
        num_given: number of consecutive frames whose masks are given for each object, starting with the frame where the
            object first shows; at least 1.

    Raises:
        ValueError: if one of these frames has no annotation, or the annotation of frame 0 shows no object.
    """

    def __init__(self, sequence: Any, num_given: int = 2) -> None:
        self.sequence, self.num_given = sequence, num_given
        self.name, self.num_frames = sequence.name, len(sequence)
        self._tells_apart = sequence.objects == APART
        self._first = dict(sequence.first_shown) if self._tells_apart else {1: 0}
        self.labels = {i: self._given(i) for i in range(len(sequence)) if i == 0 or self.mentioned(i)}
        annotated = {i for i in range(len(sequence)) if sequence.is_annotated(i)}
        self._is_scored = not (self._tells_apart and annotated <= {*self._first.values()})

    @property
    def object_ids(self) -> tuple:
        """Ids of the objects; ``(1,)`` if the data set does not tell objects apart, as in DAVIS 2016."""
        return tuple(self._first)

    def mentioned(self, frame_id: int) -> frozenset:
        """Return the ids of the objects whose masks are given for a frame, even if the mask shows nothing of them."""
        return frozenset(i for i, first in self._first.items() if first <= frame_id < first + self.num_given)

    def answer(self, frame_id: int) -> np.ndarray | None:
        """Return the masks of objects that first show in this frame, (H, W) uint8 ids; ``None`` if there are none."""
        new = [object_id for object_id, first in self._first.items() if first == frame_id]
        return self._only(self.labels[frame_id], new) if new else None

    def unanswered(self, frame_id: int) -> tuple:
        """Return the ids of the objects that showed in an earlier frame; the network answers for them."""
        return tuple(object_id for object_id, first in self._first.items() if first < frame_id)

    def frames(self) -> Iterator[SourceFrame]:
        """Yield all frames in order, decoded at the size of the sequence."""
        for i in range(len(self.sequence)):
            yield SourceFrame(i, self.sequence.file_name(i), self.sequence.frame(i))

    def given_image(self, frame_id: int) -> np.ndarray:
        """Return a frame that has a given mask, (H, W, 3) uint8 RGB."""
        return self.sequence.frame(frame_id)

    def truth(self, frame: SourceFrame) -> Labels | None:
        """Return the annotation to score the frame against; ``None`` if there is none or nothing is scored."""
        return self.sequence.annotation(frame.frame_id) if self._is_scored else None

    def _given(self, i: int) -> np.ndarray:
        annotation = self.sequence.annotation(i)
        if annotation is None:
            of = f' of object {", ".join(map(str, sorted(self.mentioned(i))))}' * self._tells_apart
            raise ValueError(f'sequence {self.name}: the mask{of} of frame {i} is to be given, but this frame is not '
                             'annotated. Annotate it, or give the masks of fewer frames (`num_given_frames`).')
        given = self._only(annotation.ids, self.mentioned(i))
        if i == 0 and not given.any():
            which = '' if isinstance(self.sequence.objects, str) else f' {self.sequence.objects}'
            first = min(self._first.values(), default=0)
            way_out = f'; {self.sequence.file_name(first)} is the first that shows one: begin there' if first else ''
            raise ValueError(f'sequence {self.name}: the mask of frame 0 has no object{which}, so there is nothing to '
                             f'segment{way_out}')
        return given

    def _only(self, ids: np.ndarray, wanted: frozenset | list) -> np.ndarray:
        return np.where(np.isin(ids, [*wanted]), ids, 0).astype(np.uint8) if self._tells_apart else ids
