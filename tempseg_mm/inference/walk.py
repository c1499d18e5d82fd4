"""Segments every frame of a sequence: first backwards from the first given frame, then forwards over all frames.

``Segmenter`` uses it. Another thread prepares frames while the network segments earlier ones.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np

from tempseg_mm.runtime.background import StageClock, read_ahead
from tempseg_mm.sources.given_sequence import GivenSequence
from tempseg_mm.structures.segmented_frame import SegmentedFrame, one_hot

from .object_mask import remembered_area
from .prepared_frame import PreparedFrame
from .propagator import Propagator

BACKWARDS, FORWARDS = 'backwards', 'forwards'


@dataclass(frozen=True)
class Snapshot:
    """State of a walk after a frame.

    Attributes:
        direction: :data:`BACKWARDS` or :data:`FORWARDS`.
        frame_id: number of the frame.
        masks: object id -> ``ObjectMask``; the next frame starts from these masks.
        learnt: object id -> what online adaptation has learnt on the way, of plain types and tensors.
    """
    direction: str
    frame_id: int
    masks: dict
    learnt: dict = field(default_factory=dict)

    def learnt_in(self, direction: str) -> dict:
        """Return :attr:`learnt` in a walk of the same direction; the other direction starts without."""
        return self.learnt if direction == self.direction else {}


class Walk:
    """One walk over a sequence, in two directions::

        backwards:  first given frame - 1, ..., start     only if frames come before the first given mask
        forwards:   start, ..., end                       frames already segmented come without probabilities

    Args:
        sequence: frames and given masks.
        propagator: carries the masks from frame to frame.
        after: state in which an earlier walk was interrupted; frames up to it are not segmented again.
        clock: measures the seconds of the stages 'read', 'prepare' and 'network'.
        ahead: whether later frames may be read before a frame is segmented.
    """

    def __init__(self, sequence: GivenSequence, propagator: Propagator, *, after: Snapshot | None = None,
                 clock: StageClock | None = None, ahead: bool = True) -> None:
        self.sequence, self.propagator, self.after, self.ahead = sequence, propagator, after, ahead
        self.clock = StageClock() if clock is None else clock

    def backwards(self) -> Iterator[SegmentedFrame]:
        """Segment the frames before the first given frame, from there back to the start."""
        if self._resumed(FORWARDS):
            return
        first = self.after.frame_id if self._resumed(BACKWARDS) else self.sequence.first_given
        if first > self.sequence.start:
            with closing(self._read_ahead(self._prepared_backwards(first))) as frames:
                _, ready = next(frames)
                self._begin(ready, first)
                for frame, ready in frames:
                    with self.clock('network'):
                        frame.probabilities = self.propagator.step(ready)
                    frame.snapshot = Snapshot(BACKWARDS, frame.frame_id, self.propagator.masks)
                    yield frame

    def forwards(self) -> Iterator[SegmentedFrame]:
        """Yield all frames in order.

        On the first given frame, the given masks are the labels of the objects that they show. The same holds for other
        given frames, unless the sequence lets the network answer there. Objects that the masks do not show continue,
        unless the sequence says that they end. Frames that were segmented on the way back or by an earlier walk have no
        probabilities.
        """
        first = self.after.frame_id if self._resumed(FORWARDS) else self.sequence.first_given
        with closing(self._read_ahead(self._prepared_forwards(first))) as frames:
            for frame, ready in frames:
                if ready is not None:
                    with self.clock('network'):
                        self._advance(frame, ready, is_first=frame.frame_id == first)
                yield frame

    def _prepared_backwards(self, first: int) -> Iterator[tuple[SegmentedFrame, PreparedFrame]]:
        sequence, preparer = self.sequence, self.propagator.preparer
        for frame_id in range(first, sequence.start - 1, -1):
            with self.clock('read'):
                name, image = '', None
                if frame_id == sequence.first_given:
                    image = sequence.given_image(frame_id)
                else:
                    earlier = sequence.earlier(frame_id)
                    name, image = earlier.file_name, earlier.image
            with self.clock('prepare'):
                ready = (preparer.first if frame_id == first else preparer.following)(image, size=sequence.size)
            yield self._frame(frame_id, name, image, answered=True), ready

    def _prepared_forwards(self, first: int) -> Iterator[tuple[SegmentedFrame, PreparedFrame | None]]:
        sequence, preparer = self.sequence, self.propagator.preparer
        for read in self.clock.timed(sequence.frames(), 'read'):
            frame = self._frame(read.frame_id, read.file_name, read.image)
            truth = sequence.truth(read)
            if truth is not None:
                frame.gt_labels, frame.gt_void = truth.ids, truth.void
            given = sequence.answer(frame.frame_id)
            if given is not None:
                frame.given, frame.going_on = True, sequence.unanswered(frame.frame_id)
                # An earlier walk has labels for this frame, with the network's answer for objects not in the mask.
                frame.labels = None if frame.going_on and frame.frame_id <= first else given
            with self.clock('prepare'):
                if frame.frame_id < first:
                    ready = None
                elif frame.frame_id == first:
                    ready = preparer.first(frame.image)
                else:
                    ready = preparer.following(frame.image)
            yield frame, ready

    def _advance(self, frame: SegmentedFrame, ready: PreparedFrame, *, is_first: bool) -> None:
        if is_first:
            self._begin(ready, frame.frame_id)
            if not self._resumed(FORWARDS):
                frame.probabilities = one_hot(frame.labels, frame.object_ids)
        else:
            frame.probabilities, frame.answered = self.propagator.step(ready), True
            if frame.frame_id in self.sequence.labels:
                self.propagator.correct(
                    self.sequence.labels[frame.frame_id], going_on=self.sequence.going_on(frame.frame_id),
                    areas=self._areas(frame.frame_id))
        if frame.probabilities is not None:
            frame.snapshot = Snapshot(FORWARDS, frame.frame_id, self.propagator.masks)

    def _begin(self, ready: PreparedFrame, frame_id: int) -> None:
        """Start at the first given frame, or resume where an earlier walk was interrupted."""
        if self.after is not None and self.after.frame_id == frame_id:
            self.propagator.resume(ready, self.after.masks)
        else:
            self.propagator.start(ready, self.sequence.labels[frame_id], areas=self._areas(frame_id),
                                  hidden=self.sequence.hidden if frame_id == self.sequence.first_given else ())

    def _areas(self, frame_id: int) -> dict[int, float]:
        return {object_id: remembered_area(self.sequence.areas(object_id), frame_id) for object_id in self._object_ids}

    def _resumed(self, direction: str) -> bool:
        return self.after is not None and self.after.direction == direction

    def _frame(self, frame_id: int, file_name: str, image: np.ndarray, **fields: object) -> SegmentedFrame:
        return SegmentedFrame(self.sequence.name, frame_id, file_name, image, object_ids=self._object_ids,
                              num_frames=self.sequence.num_frames, **fields)

    @property
    def _object_ids(self) -> tuple:
        return self.propagator.object_ids

    def _read_ahead(self, frames: Iterable) -> Iterator:
        return read_ahead(frames) if self.ahead else iter(frames)
