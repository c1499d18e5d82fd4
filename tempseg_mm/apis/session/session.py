"""Segments and corrects a video step by step; all results are in its folder at any time.

The annotation page uses it, and ``VOSInferencer`` uses it to correct its results.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np

from tempseg_mm.apis.inferencer.display import OnProgress, silent
from tempseg_mm.apis.inferencer.loading import Loaded
from tempseg_mm.apis.inferencer.lost_spans import sentences_on
from tempseg_mm.apis.inferencer.recorder import confidences_of, record_of, sure_of
from tempseg_mm.inference.online_finetuner import AdaptedGenerator, faults_of
from tempseg_mm.inference.walk import BACKWARDS, FORWARDS
from tempseg_mm.structures import FrameRecord, SegmentedFrame

from .annotated_video import AnnotatedVideo, open_folder
from .files import SessionFiles, SessionState
from .sequence import SessionSequence


class Session(AnnotatedVideo):
    """An annotated video and the network that follows the drawn objects.

    ::

        with Session.open(loaded, 'dog.mp4', 'out') as session:
            session.give(0, labels)
            for record in session.segment():                # fine-tunes, then walks over all frames
                ...
            session.give(40, corrected)
            for record in session.go_on([40]):              # half of the steps, then frames 41, 42, ...
                ...

    Labels and figures are written frame by frame, so a process that is killed loses only a fine-tuning in progress.

    Attributes:
        adapted: object id -> its generator.
    """

    def __init__(self, loaded: Loaded, files: SessionFiles, state: SessionState, stack: ExitStack) -> None:
        super().__init__(files, state, stack)
        self.loaded, self.segmenter = loaded, loaded.segmenter
        self.adapted: dict[int, AdaptedGenerator] = {}
        self._load_adapted()

    @classmethod
    def open(cls, loaded: Loaded, video: str | os.PathLike | list, out_dir: str | Path, *, start: int = 0,
             end: int | None = None, masks: Iterable = ()) -> 'Session':
        """Begin a session, or continue the session of the folder.

        Raises:
            ValueError, OSError: see :func:`~tempseg_mm.apis.session.annotated_video.open_folder`.
        """
        with ExitStack() as stack:
            files, state = open_folder(video, out_dir, loaded.settings.get('model', {}), stack, start=start, end=end,
                                       masks=masks)
            return cls(loaded, files, state, stack.pop_all())

    @property
    def notices(self) -> list[str]:
        """Sentences for the user about the network and the objects."""
        return [*self.loaded.notices, *faults_of(self.adapted), *sentences_on(self.lost)]

    def remove_object(self, object_id: int) -> None:
        """Remove an object with all its masks and its generator."""
        super().remove_object(object_id)
        self.adapted.pop(object_id, None)

    def segment(self, on_progress: OnProgress = silent) -> Iterator[FrameRecord]:
        """Fine-tune the parent network on all given masks and segment all frames, as ``tempseg-segment`` does.

        Args:
            on_progress: called with stage (``'fine-tuning'``, ``'backwards'``, ``'forwards'``), steps done and steps in
                all.

        Yields:
            The figures of each frame, once its labels are written.

        Raises:
            ValueError: if no mask is given.
        """
        self._require_given()
        with self._sequence() as sequence:
            self.adapted = self._kept(self.segmenter.adapt(sequence, on_step=lambda done, total: on_progress(
                'fine-tuning', done, total)))
            yield from self._walk(sequence, on_progress)

    def go_on(self, frame_ids: Collection[int], on_progress: OnProgress = silent, *, direction: str = FORWARDS
              ) -> Iterator[FrameRecord]:
        """Learn from corrected frames, and segment the frames after each again, up to the next mask given for all
        objects.

        A frame without a given mask teaches nothing; it is only a starting point for the walk.

        Args:
            frame_ids: frames whose labels are right.
            on_progress: as in :meth:`segment`.
            direction: ``'forwards'``, or ``'backwards'`` to redo the frames before each, back to the nearest given
                mask.

        Yields:
            The figures of each frame, as :meth:`segment` does.

        Raises:
            ValueError: if no mask is given, a frame has no labels, or the direction is unknown.
        """
        if direction not in (FORWARDS, BACKWARDS):
            raise ValueError(f'direction must be {FORWARDS!r} or {BACKWARDS!r}, got {direction!r}')
        self._require_given()
        for frame_id in frame_ids:
            if self.labels(frame_id) is None:
                raise ValueError(f'frame {frame_id} has no mask to continue from: draw one there first')
        with self._sequence() as sequence:
            taught = [i for i in frame_ids if i in self.state.given]
            if taught or not self.adapted:
                self.adapted = self._kept(self.segmenter.correct(
                    sequence, self.adapted, taught or list(self.state.given),
                    on_step=lambda done, total: on_progress('fine-tuning', done, total)))
        for frame_id in sorted(frame_ids, reverse=direction == BACKWARDS):
            with self._stretch(frame_id, direction) as sequence:
                yield from self._walk(sequence, on_progress, only=direction)

    def close(self) -> None:
        """Release the folder and the network."""
        self.segmenter.close()
        super().close()

    def _walk(self, sequence: SessionSequence, on_progress: OnProgress, *, only: str = '') -> Iterator[FrameRecord]:
        for direction, frames in self.segmenter.walk(sequence, self.adapted):
            if only and direction != only:
                continue
            with closing(frames):
                for done, frame in enumerate(frames, 1):
                    known = frame.probabilities is None or only and frame.frame_id == sequence.first_given
                    if not known:
                        yield self._keep(frame)
                    on_progress(direction, done, None if direction == BACKWARDS else sequence.num_frames)

    def _keep(self, frame: SegmentedFrame) -> FrameRecord:
        before = self.labels(frame.frame_id - 1) if frame.frame_id > self.start else None
        record = record_of(frame, before, tuple(self.state.objects), confidences=confidences_of(frame),
                           sure=sure_of(frame))
        if frame.given and frame.answered:
            self.files.write_found(frame.file_name, frame.answer)
        self.files.write_labels(frame.file_name, frame.labels, self.state)
        self.files.note(record)
        self.records = dict(sorted({**self.records, record.frame_id: record}.items()))
        return record

    def _sequence(self) -> SessionSequence:
        """Return the whole video with all given masks."""
        return self._made(self._drawn(), (self.start, self.start + self.num_frames), self.state.given)

    def _stretch(self, frame_id: int, direction: str) -> SessionSequence:
        """Return the part of the video that must be segmented again from a frame."""
        given, every, drawn = self.state.given, set(self.adapted), self._drawn()
        labels, between = {frame_id: self.labels(frame_id)}, []
        if direction == FORWARDS:
            later = [i for i in sorted(given) if i > frame_id]
            end = next((i for i in later if every <= set(given[i])), self.start + self.num_frames)
            part, between = (frame_id, end), [i for i in later if i < end]
        else:
            part = max((i + 1 for i in given if i < frame_id), default=self.start), frame_id + 1
        labels.update({i: drawn[i] for i in between})
        before = {object_id for i, ids in given.items() if i <= frame_id for object_id in ids}
        hidden = sorted((every & before) - set(np.unique(labels[frame_id]).tolist())) if direction == FORWARDS else ()
        return self._made(labels, part, {frame_id: tuple(every), **{i: given[i] for i in between}}, remembered=drawn,
                          hidden=tuple(hidden))

    def _drawn(self) -> dict[int, np.ndarray]:
        """Return frame number -> labels that a person drew there."""
        return {i: self.files.given(self.file_name(i)) for i in sorted(self.state.given)}

    def _made(self, labels: dict, part: tuple, mentioned: dict, *, remembered: Mapping[int, np.ndarray] | None = None,
              hidden: tuple = ()) -> SessionSequence:
        return SessionSequence(self.part, self.image, self.name, part=part, labels=labels, mentioned=mentioned,
                               remembered=remembered or {}, hidden=hidden)

    def _require_given(self) -> None:
        if not any(self.state.given.values()):
            raise ValueError('no mask is given: draw an object in a frame first')

    def _kept(self, adapted: dict[int, AdaptedGenerator]) -> dict[int, AdaptedGenerator]:
        for object_id, found in adapted.items():
            if self.adapted.get(object_id) is not found:
                self.files.adapted.keep(object_id, found)
        return adapted

    def _load_adapted(self) -> None:
        finetuner, parent = self.segmenter.finetuner, self.segmenter.model.generator
        for object_id in self.state.objects:
            like = parent if finetuner is None else finetuner.copy_of(parent)
            if found := self.files.adapted.kept(object_id, like):
                self.adapted[object_id] = found.for_prediction(self.segmenter.model.compute)
