"""Segments frames as they arrive, one at a time. ``VOSInferencer.stream`` builds it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace

import numpy as np

from tempseg_mm.inference.online_finetuner import faults_of
from tempseg_mm.inference.segmenter import Segmenter
from tempseg_mm.inference.walk import FORWARDS
from tempseg_mm.sources.arrays import ArraySource
from tempseg_mm.sources.frame_source import SourceFrame
from tempseg_mm.sources.given_masks import read_given_masks
from tempseg_mm.sources.given_sequence import GivenSequence
from tempseg_mm.sources.inputs import InputReader
from tempseg_mm.structures import SegmentedFrame


class _Live(GivenSequence):
    """A sequence of some known frames, followed by frames that arrive one by one.

    Args:
        name: name of the sequence.
        known: frames in order; the first of them has a given mask.
        take: called to get the next frame.
        labels: frame number -> (H, W) uint8 object ids that were given.
        images: frame number -> (H, W, 3) uint8 RGB of these frames.
        ends, hidden, remembered: see :class:`GivenSequence`.
    """

    def __init__(self, name: str, known: Sequence[SourceFrame], take: Callable[[], np.ndarray], *, labels: dict,
                 images: dict, ends: bool = False, hidden: tuple = (), remembered: Mapping | None = None) -> None:
        self.name, self.known, self.labels, self.ends, self.hidden = name, known, labels, ends, hidden
        self.remembered = remembered or {}
        self.start, self.images, self._take = known[0].frame_id, images, take

    def frames(self) -> Iterator[SourceFrame]:
        yield from self.known
        frame_id = self.known[-1].frame_id
        while True:
            frame_id += 1
            yield SourceFrame(frame_id, f'{frame_id:05d}', self._take())

    def given_image(self, frame_id: int) -> np.ndarray:
        return self.images[frame_id]


class ObjectStream:
    """Context manager that segments a live stream. It holds one frame for any length of sequence, and writes nothing.

    ::

        with inferencer.stream(first_frame, first_mask) as s:
            for labels in s.run(frames):
                if not right(labels):
                    s.correct(labels_by_hand)

    Each frame is answered before the next one is requested, so the result lags by one frame only. Hooks that refine
    masks act here as elsewhere, provided that they do not look ahead (``segmenter.ahead`` is False).

    Args:
        segmenter: segments the frames.
        first_frames: (H, W, 3) uint8 RGB, one frame or a list. The stream continues after the last of them.
        masks: masks as ``read_given_masks`` takes them, with the frame numbers of ``first_frames``.
        ends: an object that a later mask does not show ends there; else it continues.
        on_progress: called during fine-tuning with stage, steps done, steps in all.

    Attributes:
        notices: sentences for the user about how masks and frames were read.
        last: the last answered ``SegmentedFrame``: its image, labels, and the probabilities of its objects.

    Raises:
        ValueError: if ``read_given_masks`` refuses the masks, or a mask is for a frame that is not among the first
            ones.
        RuntimeError: if a hook that refines masks looks ahead.
    """

    def __init__(self, segmenter: Segmenter, first_frames: np.ndarray | Sequence[np.ndarray], masks: object, *,
                 ends: bool = False,
                 on_progress: Callable[[str, int, int | None], None] = lambda stage, done, total: None) -> None:
        is_one = isinstance(first_frames, np.ndarray) and first_frames.ndim == 3
        with ExitStack() as stack:
            inputs = InputReader(ArraySource([first_frames] if is_one else first_frames), masks, ends=ends).read(stack)
        self.notices, self._reader = list(inputs.notices), inputs.reader
        self._size, self._pending, self._on_progress = inputs.size, None, on_progress
        self._segmenter = replace(segmenter, ahead=False)
        known = [frame for frame in inputs.frames() if frame.frame_id >= inputs.first_given]
        self._given = _Live(inputs.name, known, self._take, labels=dict(inputs.labels), images=dict(inputs.images),
                            ends=ends)
        self._adapted = self._segmenter.adapt(self._given, on_step=self._on_step)
        self.notices += faults_of(self._adapted)
        self._frames: Iterator | None = None
        self.last: SegmentedFrame | None = None
        self._walk(self._given)

    @property
    def finetune_losses(self) -> dict:
        """Object id -> loss before each fine-tuning step."""
        return {object_id: found.losses for object_id, found in self._adapted.items()}

    @property
    def finetune_fit(self) -> dict:
        """Object id -> ``GivenFit``, the IoU on the given frames before and after fine-tuning; empty without steps."""
        return {object_id: found.fit for object_id, found in self._adapted.items() if found.fit}

    def step(self, frame: np.ndarray) -> np.ndarray:
        """Segment the next frame.

        Args:
            frame: (H, W, 3) uint8 RGB, of the same size as the first frame.

        Returns:
            (H, W) uint8 object ids, 0 is the background.

        Raises:
            RuntimeError: if the stream is closed, or an earlier frame raised an error.
            ValueError: if the frame has another size.
        """
        self._require_open('step(frame)')
        if frame.shape[:2] != self._size:
            raise ValueError(f'this frame is {frame.shape[:2]}, the frames before are {self._size}: all frames of a '
                             'sequence must have one size')
        self._pending = frame
        try:
            self.last = next(self._frames)
        except StopIteration:
            raise RuntimeError('the stream ended with the error of an earlier frame: start a new one') from None
        return self.last.labels

    def correct(self, mask: object, *, ends: bool = False) -> np.ndarray:
        """Give the mask of the last answered frame; the following frames continue from it.

        Generators of the objects that it shows learn from it for half of the steps, those of new objects for all
        steps.

        Args:
            mask: a mask as ``read_given_masks`` takes it. Objects that it does not show stay as they are.
            ends: objects that it does not show end here.

        Returns:
            (H, W) uint8, the corrected labels of the frame.

        Raises:
            RuntimeError: if the stream is closed.
            ValueError: if ``read_given_masks`` refuses the mask.
        """
        self._require_open('correct(mask)')
        last, given = self.last, self._given
        drawn = read_given_masks({last.frame_id: mask}, self._size, ends=ends, reader=self._reader)[0].labels
        shown, before = set(np.unique(drawn).tolist()) - {0}, set(given.object_ids)
        labels = drawn if ends else np.where((drawn == 0) & ~np.isin(last.labels, list(shown)), last.labels, drawn)
        given = self._given = _Live(
            given.name, given.known, self._take, labels={**given.labels, last.frame_id: drawn},
            images={**given.images, last.frame_id: last.image}, ends=given.ends)
        adapted = self._segmenter.correct(given, self._adapted, [last.frame_id], on_step=self._on_step)
        self.notices += faults_of({i: found for i, found in adapted.items() if found is not self._adapted.get(i)})
        self._adapted = adapted
        hidden = sorted(before - set(np.unique(labels).tolist()) if not ends else ())
        self._frames.close()
        self._walk(_Live(given.name, [SourceFrame(last.frame_id, last.file_name, last.image)], self._take,
                         labels={last.frame_id: labels.astype(np.uint8)}, images=given.images, hidden=tuple(hidden),
                         remembered=given.labels))
        return self.last.labels

    def run(self, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield :meth:`step` of each frame, reading one frame at a time."""
        for frame in frames:
            yield self.step(frame)

    def close(self) -> None:
        """Release the adapted generators."""
        if self._frames is not None:
            self._frames.close()
            self._frames = None

    def __enter__(self) -> 'ObjectStream':
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _walk(self, sequence: _Live) -> None:
        """Start the walk again and answer the known frames."""
        self._frames = dict(self._segmenter.walk(sequence, self._adapted))[FORWARDS]
        for _ in sequence.known:
            self.last = next(self._frames)

    def _on_step(self, done: int, total: int) -> None:
        self._on_progress('fine-tuning', done, total)

    def _require_open(self, call: str) -> None:
        if self._frames is None:
            raise RuntimeError(f'the stream is closed: call {call} inside the `with` block')

    def _take(self) -> np.ndarray:
        frame, self._pending = self._pending, None
        if frame is None:
            raise RuntimeError('a hook that refines masks looks ahead, but a stream answers each frame before the next '
                               'one arrives. The hook must not look ahead if segmenter.ahead is False')
        return frame
