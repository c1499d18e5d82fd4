"""Masks for frames as they come, one at a time. Made by ``VOSInferencer.stream``."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace

import numpy as np

from tempseg_mm.inference.online_finetuner import faults_of
from tempseg_mm.inference.segmenter import Segmenter
from tempseg_mm.inference.walk import FORWARDS
from tempseg_mm.sources.arrays import ArraySource
from tempseg_mm.sources.frame_source import SourceFrame
from tempseg_mm.sources.given_sequence import GivenSequence
from tempseg_mm.sources.inputs import InputReader, Inputs


class _Live(GivenSequence):
    """The first frames, from the first given one on, then whatever comes."""

    def __init__(self, inputs: Inputs, take: Callable[[], np.ndarray]) -> None:
        self.name, self.labels, self.start = inputs.name, inputs.labels, inputs.first_given
        self.ends = inputs.ends
        self._inputs, self._take = inputs, take

    @property
    def known(self) -> list[SourceFrame]:
        return [frame for frame in self._inputs.frames() if frame.frame_id >= self.start]

    def frames(self) -> Iterator[SourceFrame]:
        known = self.known
        yield from known
        frame_id = known[-1].frame_id
        while True:
            frame_id += 1
            yield SourceFrame(frame_id, f'{frame_id:05d}', self._take())

    def given_image(self, frame_id: int) -> np.ndarray:
        return self._inputs.given_image(frame_id)


class ObjectStream:
    """Context manager; holds one frame, whatever the length of the sequence, and writes nothing.

    ::

        with inferencer.stream(first_frame, first_mask) as s:
            for mask in s.run(frames):
                ...

    Each frame is answered before the next one is asked for, so a live stream lags by one frame only. Hooks that refine
    masks act here as everywhere, if they do without looking ahead (``segmenter.ahead`` tells them).

    Args:
        segmenter: what segments.
        first_frames: (H, W, 3) uint8 RGB, one or a list. The stream continues after the last of them.
        masks: as ``read_given_masks`` takes them, numbered as in ``first_frames``.
        ends: an object that a later one of them does not show ends there; else it goes on.
        on_progress: told of the fine-tuning: stage, steps done, steps in all.

    Attributes:
        finetune_losses: object id -> the loss before each step of fine-tuning.
        finetune_fit: object id -> ``GivenFit``, its IoU on the given frames before and after; none without a step.
        notices: what the user should read of how masks and frames were taken.

    Raises:
        ValueError: what ``read_given_masks`` refuses; a mask for a frame that is not among the first ones.
        RuntimeError: if a hook that refines masks looks ahead.
    """

    def __init__(self, segmenter: Segmenter, first_frames: np.ndarray | Sequence[np.ndarray], masks: object, *,
                 ends: bool = False,
                 on_progress: Callable[[str, int, int | None], None] = lambda stage, done, total: None) -> None:
        is_one = isinstance(first_frames, np.ndarray) and first_frames.ndim == 3
        with ExitStack() as stack:
            inputs = InputReader(ArraySource([first_frames] if is_one else first_frames), masks, ends=ends).read(stack)
        self.notices = list(inputs.notices)
        self._size, self._pending = inputs.size, None
        sequence, segmenter = _Live(inputs, self._take), replace(segmenter, ahead=False)
        adapted = segmenter.adapt(sequence, on_step=lambda done, total: on_progress('fine-tuning', done, total))
        self.finetune_losses = {object_id: found.losses for object_id, found in adapted.items()}
        self.finetune_fit = {object_id: found.fit for object_id, found in adapted.items() if found.fit}
        self.notices += faults_of(adapted)
        self._frames: Iterator | None = dict(segmenter.walk(sequence, adapted))[FORWARDS]
        for _ in sequence.known:
            next(self._frames)

    def step(self, frame: np.ndarray) -> np.ndarray:
        """The next frame.

        Args:
            frame: (H, W, 3) uint8 RGB, of the size of the first one.

        Returns:
            (H, W) uint8: object ids, 0 the background.

        Raises:
            RuntimeError: when the stream is closed, or ended with an error before.
            ValueError: for a frame of another size.
        """
        if self._frames is None:
            raise RuntimeError('the stream is closed: step(frame) belongs into the `with` block')
        if frame.shape[:2] != self._size:
            raise ValueError(f'this frame is {frame.shape[:2]}, the ones before {self._size}: the frames of a sequence '
                             'must agree in size')
        self._pending = frame
        try:
            return next(self._frames).labels
        except StopIteration:
            raise RuntimeError('the stream ended with the error of an earlier frame: begin another one') from None

    def run(self, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """:meth:`step` for each of the frames, when its turn comes."""
        for frame in frames:
            yield self.step(frame)

    def close(self) -> None:
        """Let go of the adapted generators."""
        if self._frames is not None:
            self._frames.close()
            self._frames = None

    def __enter__(self) -> 'ObjectStream':
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _take(self) -> np.ndarray:
        frame, self._pending = self._pending, None
        if frame is None:
            raise RuntimeError('a hook that refines masks looks ahead, which a stream cannot: each frame is answered '
                               'before the next one comes. Let the hook do without where segmenter.ahead is False')
        return frame
