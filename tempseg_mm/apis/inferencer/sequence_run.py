"""One call of ``VOSInferencer`` from the given masks to the files: adapt, walk, write, and keep what is done."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass

import numpy as np

from tempseg_mm.inference.object_crf import ObjectCRF
from tempseg_mm.inference.object_propagator import ObjectPropagator, labels_of
from tempseg_mm.ops.resize import Size, resize_mask, target_size
from tempseg_mm.runtime.background import BackgroundWriter, StageClock
from tempseg_mm.runtime.versions import versions
from tempseg_mm.sources.camera import CameraSource
from tempseg_mm.structures.segmented_frame import SegmentedFrame
from tempseg_mm.visualization.exporters import write_indexed_png

from .adapting import adapt_to_all
from .inputs import Inputs
from .loading import Segmenter
from .output_folder import OutputFolder
from .pictures import Pictures, write_overlay_gif, write_report
from .recorder import FrameRecorder, GroundTruth, confidences_of
from .result import SegmentationResult, rounded
from .run_state import RunState
from .walk import snapshot_of, walk_backwards, walk_forwards

DEFAULT_FPS = 24.0  # of the overlay, where the source does not know


@dataclass
class Wishes:
    """What a call asks for beside the masks.

    Attributes:
        seed: of all random draws.
        ground_truth: to score against.
        gif: whether to write it.
        pictures: whether to write overlay and page.
        show: told image and labels of each frame.
        on_progress: told stage, steps done and steps in all.
    """
    seed: int = 0
    ground_truth: GroundTruth | None = None
    gif: bool = False
    pictures: bool = True
    show: Callable[[np.ndarray, np.ndarray], None] | None = None
    on_progress: Callable[[str, int, int | None], None] = lambda stage, done, total: None


class SequenceRun:
    """See the module.

    Args:
        segmenter: what segments.
        inputs: what is given.
        out: where to write; claimed.
        state: where an interrupted call was, if there was one.
        wishes: the rest.
    """

    def __init__(self, segmenter: Segmenter, inputs: Inputs, out: OutputFolder, state: RunState, wishes: Wishes
                 ) -> None:
        self.segmenter, self.inputs, self.out, self.state, self.wishes = segmenter, inputs, out, state, wishes
        self.clock = StageClock()
        self.recorder = FrameRecorder(inputs.object_ids, wishes.ground_truth)
        self.notices: list = [*segmenter.notices, *_lost_objects(inputs, segmenter.size)]
        self._num_walked = 0

    def run(self, settings: dict) -> SegmentationResult:
        """All of it.

        Args:
            settings: for the result.

        Raises:
            OSError, ValueError: from the source, or if something cannot be written.
            KeyboardInterrupt: handed on when what is done has been kept.
        """
        started = time.perf_counter()
        adapted = adapt_to_all(self.segmenter, self.inputs, seed=self.wishes.seed, state=self.state,
                               on_progress=self.wishes.on_progress)
        generators = {object_id: found.generator for object_id, found in adapted.items()}
        propagator = ObjectPropagator(self.segmenter.model, generators, size=self.segmenter.size)
        walk_started = time.perf_counter()
        pictures = self._walk(propagator)
        walk_seconds = time.perf_counter() - walk_started
        result = SegmentationResult(
            self.out.masks, self.out.result, records=self.recorder.records,
            overlay=pictures and self.out.overlay, report=pictures and self.out.report,
            gif=self.out.gif if self.wishes.gif else None,
            given=self.out.given if self.out.given.exists() else None, mean_j=self.recorder.mean_j,
            finetune_losses={object_id: found.losses for object_id, found in adapted.items()},
            notices=[*self.notices, *self.inputs.source.notices], settings=settings, versions=versions())
        result.timings = rounded({
            'finetune': sum(found.seconds for found in adapted.values()), **self.clock.seconds,
            'total': time.perf_counter() - started, 'frames_per_s': self._num_walked / max(walk_seconds, 1e-9)})
        self._finish(result, pictures)
        return result

    def _walk(self, propagator: ObjectPropagator) -> Pictures | None:
        after = self.state.snapshot
        with ExitStack() as stack:
            mask_writer = stack.enter_context(BackgroundWriter(self._write_mask))
            frames = self._refined(walk_backwards(self.inputs, propagator, self.clock, after=after))
            with self._kept(mask_writer), closing(frames):
                self._backwards(frames, mask_writer)
            pictures = Pictures(self.out.overlay, self.fps, self.clock, stack) if self.wishes.pictures else None
            frames = self._refined(walk_forwards(self.inputs, propagator, self.clock, after=after,
                                                 read_back=self.out.read_mask))
            with self._kept(mask_writer), closing(frames):
                self._forwards(frames, mask_writer, pictures)
            return pictures

    @property
    def fps(self) -> float:
        return self.inputs.source.fps or DEFAULT_FPS

    def _backwards(self, frames: Iterator[SegmentedFrame], mask_writer: BackgroundWriter) -> None:
        first = self.inputs.first_given
        for frame in frames:
            self._decide(frame)
            self._keep(frame, mask_writer)
            self.wishes.on_progress('backwards', first - frame.frame_id, first - self.inputs.source.start)

    def _forwards(self, frames: Iterator[SegmentedFrame], mask_writer: BackgroundWriter, pictures: Pictures | None
                  ) -> None:
        try:
            for index, frame in enumerate(frames):
                self._decide(frame)
                if frame.masks is not None:
                    self._keep(frame, mask_writer)
                record = self.recorder.add(frame, self.state.confidences[frame.frame_id])
                if pictures is not None:
                    pictures.add(index, frame.image, frame.labels, record)
                if self.wishes.show is not None:
                    self.wishes.show(frame.image, frame.labels)
                self.wishes.on_progress('forwards', index + 1, self.inputs.source.num_frames)
        except KeyboardInterrupt:
            # A camera has no other end, and nothing comes back that was not looked at.
            if not isinstance(self.inputs.source, CameraSource) or not self.recorder.records:
                raise
            self.notices.append(f'{self.inputs.source.name} was stopped after frame '
                                f'{self.recorder.records[-1].frame_id}.')

    def _refined(self, frames: Iterator[SegmentedFrame]) -> Iterator[SegmentedFrame]:
        """Refined by the CRF, if there is one; its workers end with the frames."""
        with ExitStack() as stack:
            stack.callback(frames.close)
            if self.segmenter.crf is not None:
                crf = ObjectCRF(self.segmenter.crf)
                stack.callback(crf.close)
                frames = stack.enter_context(closing(crf.refine(frames)))
            yield from frames

    def _decide(self, frame: SegmentedFrame) -> None:
        if frame.labels is None:
            frame.labels = labels_of(frame.probabilities, self.inputs.object_ids)
            self._num_walked += 1
        if frame.frame_id not in self.state.confidences or frame.masks is not None and frame.probabilities is not None:
            self.state.confidences[frame.frame_id] = confidences_of(frame, self.inputs.object_ids)
        frame.probabilities = None

    def _keep(self, frame: SegmentedFrame, mask_writer: BackgroundWriter) -> None:
        mask_writer.put(frame.file_name, frame.labels)
        self.state.note(snapshot_of(frame, self.inputs), mask_writer.flush)

    def _write_mask(self, file_name: str, labels: np.ndarray) -> None:
        with self.clock('masks'):
            write_indexed_png(self.out.mask_file(file_name), labels)

    @contextmanager
    def _kept(self, mask_writer: BackgroundWriter) -> Iterator[None]:
        """Where the walk is gets written when it ends, in whatever way; first of all, as a person may be impatient."""
        try:
            yield
        except BaseException:
            with suppress(Exception):  # if masks cannot be written, what was written last time counts
                mask_writer.flush()
                self.state.write()
            raise
        mask_writer.flush()
        self.state.write()

    def _finish(self, result: SegmentationResult, pictures: Pictures | None) -> None:
        if result.gif is not None:
            write_overlay_gif(result.gif, result.overlay, self.fps)
        if pictures is not None:
            write_report(result, pictures, title=self.inputs.source.name, fps=self.fps)
        result.write()
        self.state.remove()


def _lost_objects(inputs: Inputs, size: Size) -> list[str]:
    """A sentence for each object that the network cannot see."""
    shape = target_size(size, inputs.size)
    return [f'Object {object_id} is so small that nothing is left of it at the working size ({shape[0]}x{shape[1]} '
            'pixels): choose a larger one (--size).' for object_id in inputs.object_ids
            if not any(resize_mask((labels == object_id).astype(np.uint8), shape).any()
                       for labels in inputs.labels.values())]
