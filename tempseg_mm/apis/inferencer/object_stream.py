"""Masks for frames as they come, one at a time. Made by ``VOSInferencer.stream``."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack

import numpy as np

from tempseg_mm.inference.object_crf import ObjectCRF
from tempseg_mm.inference.object_propagator import ObjectPropagator, labels_of
from tempseg_mm.sources.arrays import ArraySource
from tempseg_mm.structures.segmented_frame import SegmentedFrame

from .adapting import OnProgress, adapt_to_all
from .inputs import InputReader
from .loading import Segmenter


class ObjectStream:
    """Context manager; holds one frame, whatever the length of the sequence, and writes nothing.

    ::

        with inferencer.stream(first_frame, first_mask) as s:
            for mask in s.run(frames):
                ...

    Each frame is answered before the next one is asked for, so a live stream lags by one frame only.

    Args:
        segmenter: what segments.
        first_frames: (H, W, 3) uint8 RGB, one or a list. The stream goes on after the last of them.
        masks: as ``read_given_masks`` takes them, numbered as in ``first_frames``.
        seed: of all random draws.
        on_progress: told of the fine-tuning.

    Raises:
        ValueError: what ``read_given_masks`` refuses; a mask for a frame that is not among the first ones.
    """

    def __init__(self, segmenter: Segmenter, first_frames: np.ndarray | Sequence[np.ndarray], masks: object, *,
                 seed: int = 0, on_progress: OnProgress = lambda stage, done, total: None) -> None:
        is_one = isinstance(first_frames, np.ndarray) and first_frames.ndim == 3
        source = ArraySource([first_frames] if is_one else first_frames)
        with ExitStack() as stack:
            inputs = InputReader(source, masks).read(stack)
            adapted = adapt_to_all(segmenter, inputs, seed=seed, on_progress=on_progress)
            generators = {object_id: found.generator for object_id, found in adapted.items()}
            self._propagator: ObjectPropagator | None = ObjectPropagator(segmenter.model, generators,
                                                                         size=segmenter.size)
            for frame in source.frames():
                self._take(frame.image, frame.frame_id - inputs.first_given, inputs.labels.get(frame.frame_id))
        self.finetune_losses = {object_id: found.losses for object_id, found in adapted.items()}
        self._crf = None if segmenter.crf is None else ObjectCRF(segmenter.crf, workers=0)
        self._num_frames = 0

    def step(self, frame: np.ndarray) -> np.ndarray:
        """The next frame.

        Args:
            frame: (H, W, 3) uint8 RGB, of the size of the first one.

        Returns:
            (H, W) uint8: object ids, 0 the background.

        Raises:
            RuntimeError: when the stream is closed.
            ValueError: for a frame of another size.
        """
        if self._propagator is None:
            raise RuntimeError('the stream is closed: step(frame) belongs into the `with` block')
        segmented = SegmentedFrame(self._num_frames, f'{self._num_frames:05d}', frame,
                                   probabilities=self._propagator.step(frame))
        self._num_frames += 1
        if self._crf is not None:
            segmented, = self._crf.refine([segmented])
        return labels_of(segmented.probabilities, self._propagator.object_ids)

    def run(self, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """:meth:`step` for each of the frames, when its turn comes."""
        for frame in frames:
            yield self.step(frame)

    def close(self) -> None:
        """Let go of the adapted generators."""
        self._propagator = None

    def __enter__(self) -> 'ObjectStream':
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _take(self, image: np.ndarray, since_given: int, labels: np.ndarray | None) -> None:
        """One of the first frames; those before the first given one say nothing."""
        if since_given == 0:
            self._propagator.start(image, labels)
        elif since_given > 0:
            self._propagator.step(image)
            if labels is not None:
                self._propagator.correct(labels)
