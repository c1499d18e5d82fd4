"""A sequence of a data set with the first masks of its objects given. Made by the test loop."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tempseg_mm.sources.frame_source import SourceFrame
from tempseg_mm.sources.given_sequence import GivenSequence
from tempseg_mm.sources.mask_files import Labels

from .vos_sequence import APART


class AnnotatedSequence(GivenSequence):
    """Of each object the first mask is given and passed on as it is: in frame 0, or where the object first shows.

    Further given masks of an object correct what the frames after them start from, yet their own frames get the
    network's answer: nothing that was given is scored. Where each annotation shows a new object, annotations are only
    given, as in the hidden splits of benchmarks, and nothing is scored against them.

    Args:
        sequence: a ``VOSSequence``.
        num_given: how many frames of each object come with its mask, from the one on where it first shows; at least 1.

    Raises:
        ValueError: if one of them has no annotation, or frame 0's has no object.
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
        """1 where a data set does not tell objects apart, as DAVIS 2016."""
        return tuple(self._first)

    def mentioned(self, frame_id: int) -> frozenset:
        """Ids of the objects whose masks are given for a frame, also where the mask has nothing of them."""
        return frozenset(i for i, first in self._first.items() if first <= frame_id < first + self.num_given)

    def answer(self, frame_id: int) -> np.ndarray | None:
        """See :class:`GivenSequence`: of each object its first mask."""
        new = [object_id for object_id, first in self._first.items() if first == frame_id]
        return self._only(self.labels[frame_id], new) if new else None

    def unanswered(self, frame_id: int) -> tuple:
        """See :class:`GivenSequence`."""
        return tuple(object_id for object_id, first in self._first.items() if first < frame_id)

    def frames(self) -> Iterator[SourceFrame]:
        """See :class:`GivenSequence`."""
        for i in range(len(self.sequence)):
            yield SourceFrame(i, self.sequence.file_name(i), self.sequence.frame(i))

    def given_image(self, frame_id: int) -> np.ndarray:
        """See :class:`GivenSequence`."""
        return self.sequence.frame(frame_id)

    def truth(self, frame: SourceFrame) -> Labels | None:
        """See :class:`GivenSequence`."""
        return self.sequence.annotation(frame.frame_id) if self._is_scored else None

    def _given(self, i: int) -> np.ndarray:
        annotation = self.sequence.annotation(i)
        if annotation is None:
            of = f' of object {", ".join(map(str, sorted(self.mentioned(i))))}' * self._tells_apart
            raise ValueError(f'sequence {self.name}: the mask{of} of frame {i} is to be given, but that frame is not '
                             'annotated. Annotate it, or lower the number of given frames.')
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
