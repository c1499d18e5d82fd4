"""Runs one call of ``VOSInferencer``: receives the segmented frames, writes the results, and keeps finished work."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass

import numpy as np

from tempseg_mm.inference.online_finetuner import AdaptedGenerator, faults_of
from tempseg_mm.inference.resume import RunState
from tempseg_mm.inference.walk import BACKWARDS
from tempseg_mm.ops.resize import Size, resize_mask, target_size
from tempseg_mm.runtime.background import BackgroundWriter, StageClock
from tempseg_mm.runtime.versions import versions
from tempseg_mm.sources.camera import CameraSource
from tempseg_mm.sources.inputs import Inputs
from tempseg_mm.structures import SegmentedFrame
from tempseg_mm.visualization.exporters import write_indexed_png

from .exports import DEFAULT_FPS
from .loading import Loaded
from .output import OutputFolder, SegmentationResult, rounded
from .pictures import Pictures, write_overlay_gif, write_report
from .recorder import FrameRecorder, confidences_of, sure_of


@dataclass
class Wishes:
    """Optional results of a call.

    Attributes:
        gif: True to write the animation.
        pictures: True to write overlay and page.
        show: called with image and labels of each frame; ``None`` to show nothing.
        on_progress: called with stage, steps done and steps in all.
    """
    gif: bool = False
    pictures: bool = True
    show: Callable[[np.ndarray, np.ndarray], None] | None = None
    on_progress: Callable[[str, int, int | None], None] = lambda stage, done, total: None


class SequenceRun:
    """One call of ``VOSInferencer``, see the module.

    Args:
        loaded: the segmenter with its settings.
        inputs: frames and given masks.
        out: result folder, already claimed.
        state: where an interrupted call stopped, if there was one.
        wishes: optional results.

    Attributes:
        adapted: object id -> its generator, after fine-tuning.
        palette: (256, 3) uint8 RGB colours of the mask files.
    """

    def __init__(self, loaded: Loaded, inputs: Inputs, out: OutputFolder, state: RunState, wishes: Wishes) -> None:
        self.segmenter, self.inputs, self.out, self.state, self.wishes = loaded.segmenter, inputs, out, state, wishes
        self.clock = StageClock()
        self.recorder = FrameRecorder(inputs)
        self.notices: list = [*loaded.notices, *_lost_objects(inputs, loaded.segmenter.seen_size)]
        self.palette = inputs.reader.names.saved_palette()
        self.adapted: dict[int, AdaptedGenerator] = {}
        self._num_walked = 0

    def run(self, settings: dict) -> SegmentationResult:
        """Fine-tune, segment all frames and write the results, with ``settings`` to store in ``result.json``.

        Raises:
            OSError, ValueError: from the source, or if a file cannot be written.
            KeyboardInterrupt: passed on after finished work is saved.
        """
        started = time.perf_counter()
        with closing(self.segmenter):
            adapted = self.adapted = self.segmenter.adapt(self.inputs, state=self.state, on_step=lambda done, total:
                                           self.wishes.on_progress('fine-tuning', done, total))
            walk_started = time.perf_counter()
            pictures = self._walk(adapted)
            walk_seconds = time.perf_counter() - walk_started
        self.recorder.settle()
        result = SegmentationResult(
            self.out.masks, self.out.result, records=self.recorder.records,
            overlay=pictures and self.out.overlay, report=pictures and self.out.report,
            gif=self.out.gif if self.wishes.gif else None,
            given=self.out.given if self.out.given.exists() else None, mean_j=self.recorder.mean_j,
            finetune_losses={object_id: found.losses for object_id, found in adapted.items()},
            finetune_fit={object_id: found.fit for object_id, found in adapted.items() if found.fit},
            notices=[*self.notices, *faults_of(adapted), *self.inputs.notices, *self.inputs.reader.names.sentences(),
                     *self.recorder.notices],
            lost=self.recorder.lost, settings=settings, versions=versions())
        result.timings = rounded({
            'finetune': sum(found.seconds for found in adapted.values()), **self.clock.seconds,
            'total': time.perf_counter() - started, 'frames_per_s': self._num_walked / max(walk_seconds, 1e-9)})
        self._finish(result, pictures)
        return result

    def _walk(self, adapted: dict[int, AdaptedGenerator]) -> Pictures | None:
        pictures = None
        with ExitStack() as stack:
            mask_writer = stack.enter_context(BackgroundWriter(self._write_mask))
            for direction, frames in self.segmenter.walk(self.inputs, adapted, state=self.state, clock=self.clock):
                if direction != BACKWARDS and self.wishes.pictures:
                    pictures = Pictures(self.out.overlay, self.fps, self.clock, stack)
                with self._kept(mask_writer), closing(frames):
                    if direction == BACKWARDS:
                        self._backwards(frames, mask_writer)
                    else:
                        self._forwards(frames, mask_writer, pictures)
        return pictures

    @property
    def fps(self) -> float:
        return self.inputs.source.fps or DEFAULT_FPS

    def _backwards(self, frames: Iterator[SegmentedFrame], mask_writer: BackgroundWriter) -> None:
        first = self.inputs.first_given
        for frame in frames:
            self._keep(frame, mask_writer)
            self.wishes.on_progress('backwards', first - frame.frame_id, first - self.inputs.start)

    def _forwards(self, frames: Iterator[SegmentedFrame], mask_writer: BackgroundWriter, pictures: Pictures | None
                  ) -> None:
        try:
            for index, frame in enumerate(frames):
                if frame.snapshot is not None:
                    self._keep(frame, mask_writer)
                elif frame.labels is None:
                    frame.labels = self.out.read_mask(frame.file_name)
                record = self.recorder.add(frame, **self.state.figures[frame.frame_id])
                if pictures is not None:
                    pictures.add(index, frame.image, frame.labels, record)
                if self.wishes.show is not None:
                    self.wishes.show(frame.image, frame.labels)
                self.wishes.on_progress('forwards', index + 1, self.inputs.num_frames)
        except KeyboardInterrupt:
            # A camera ends in no other way, and frames that were not read cannot be read later.
            if not isinstance(self.inputs.source, CameraSource) or not self.recorder.records:
                raise
            self.notices.append(f'{self.inputs.source.name} was stopped after frame '
                                f'{self.recorder.records[-1].frame_id}.')

    def _keep(self, frame: SegmentedFrame, mask_writer: BackgroundWriter) -> None:
        """Send the mask of a new frame to disk, and note the figures that need its probabilities."""
        self._num_walked += not frame.given
        mask_writer.put(frame.file_name, frame.labels)
        self.state.figures[frame.frame_id] = dict(
            confidences=confidences_of(frame), sure=sure_of(frame), answer=self.recorder.answer(frame))
        frame.probabilities = None
        self.state.note(frame.snapshot, mask_writer.flush)

    def _write_mask(self, file_name: str, labels: np.ndarray) -> None:
        with self.clock('masks'):
            write_indexed_png(self.out.mask_file(file_name), labels, self.palette)

    @contextmanager
    def _kept(self, mask_writer: BackgroundWriter) -> Iterator[None]:
        """Save the position of the walk first when it ends, even by an error: the user may press Ctrl-C again."""
        try:
            yield
        except BaseException:
            with suppress(Exception):  # if masks cannot be written, the last saved state counts
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
    """Return a sentence for each object that is too small for the network to see."""
    shape = target_size(size, inputs.size)
    return [f'Object {object_id} is so small that nothing is left of it at the working size ({shape[0]}x{shape[1]} '
            'pixels): choose a larger one (--size).' for object_id in inputs.object_ids
            if not any(resize_mask((labels == object_id).astype(np.uint8), shape).any()
                       for labels in inputs.labels.values())]
