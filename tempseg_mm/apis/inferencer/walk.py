"""Every frame of a sequence with its masks: backwards from the first given frame, then forwards over all.

Called by ``VOSInferencer``. Frames are prepared in another thread while the network segments those before them.
"""

from collections.abc import Callable, Iterator
from contextlib import closing

import numpy as np

from tempseg_mm.inference.object_propagator import ObjectPropagator
from tempseg_mm.inference.prepared_frame import PreparedFrame
from tempseg_mm.runtime.background import StageClock, read_ahead
from tempseg_mm.structures.segmented_frame import SegmentedFrame

from .inputs import Inputs
from .run_state import BACKWARDS, FORWARDS, Snapshot


def walk_backwards(inputs: Inputs, propagator: ObjectPropagator, clock: StageClock, *, after: Snapshot | None = None
                   ) -> Iterator[SegmentedFrame]:
    """The frames before the first given one, the nearest first; labels are not decided yet.

    Args:
        inputs: with these frames in its spool.
        propagator: at rest.
        clock: told the seconds of each stage.
        after: where a walk was interrupted, in either direction.
    """
    if after is not None and after.direction == FORWARDS:
        return
    start = inputs.source.start
    first = inputs.first_given if after is None else after.frame_id

    def prepared() -> Iterator[tuple[SegmentedFrame, PreparedFrame]]:
        for frame_id in range(first, start - 1, -1):
            given = frame_id == inputs.first_given
            with clock('read'):
                image = inputs.images[frame_id] if given else inputs.spool.read(frame_id - start)
            prepare = propagator.preparer.first if frame_id == first else propagator.preparer.following
            with clock('prepare'):
                ready = prepare(image, size=inputs.size)
            yield SegmentedFrame(frame_id, '' if given else inputs.names[frame_id - start], image), ready

    if first > start:
        with closing(read_ahead(prepared())) as frames:
            _, ready = next(frames)
            if after is None:
                propagator.start(ready, inputs.labels[first])
            else:
                propagator.resume(ready, after.masks)
            for frame, ready in frames:
                with clock('network'):
                    frame.probabilities = propagator.step(ready)
                frame.masks = propagator.masks
                yield frame


def walk_forwards(inputs: Inputs, propagator: ObjectPropagator, clock: StageClock, *, after: Snapshot | None = None,
                  read_back: Callable[[str], np.ndarray]) -> Iterator[SegmentedFrame]:
    """All frames in order; the labels of those that are given or were found before are set.

    Args:
        inputs: what is given.
        propagator: at rest.
        clock: told the seconds of each stage.
        after: where a walk was interrupted, in either direction.
        read_back: file name -> (H, W) uint8 labels of a frame that was segmented before.
    """
    resumed = after is not None and after.direction == FORWARDS
    first = after.frame_id if resumed else inputs.first_given

    def prepared() -> Iterator[tuple[SegmentedFrame, PreparedFrame | None]]:
        for source_frame in clock.timed(inputs.frames(), 'read'):
            frame = SegmentedFrame(source_frame.frame_id, source_frame.file_name, source_frame.image)
            frame.given = frame.frame_id in inputs.labels
            if frame.given:
                frame.labels = inputs.labels[frame.frame_id]
            elif frame.frame_id < first or resumed and frame.frame_id == first:
                frame.labels = read_back(frame.file_name)
            with clock('prepare'):
                if frame.frame_id < first:
                    ready = None
                elif frame.frame_id == first:
                    ready = propagator.preparer.first(frame.image)
                else:
                    ready = propagator.preparer.following(frame.image)
            yield frame, ready

    with closing(read_ahead(prepared())) as frames:
        for frame, ready in frames:
            if ready is None:
                yield frame
                continue
            with clock('network'):
                _advance(propagator, frame, ready, inputs, after if frame.frame_id == first and resumed else None)
            frame.masks = propagator.masks
            yield frame


def snapshot_of(frame: SegmentedFrame, inputs: Inputs) -> Snapshot | None:
    """Where to go on after this frame; ``None`` where that was known before."""
    if frame.masks is None:
        return None
    direction = BACKWARDS if frame.frame_id < inputs.first_given else FORWARDS
    return Snapshot(direction, frame.frame_id, frame.masks)


def _advance(propagator: ObjectPropagator, frame: SegmentedFrame, ready: PreparedFrame, inputs: Inputs,
             after: Snapshot | None) -> None:
    if after is not None:
        propagator.resume(ready, after.masks)
    elif frame.frame_id == inputs.first_given:
        propagator.start(ready, frame.labels)
    else:
        probabilities = propagator.step(ready)
        if frame.given:
            propagator.correct(frame.labels)
        else:
            frame.probabilities = probabilities
