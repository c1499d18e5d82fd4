"""Converts between sessions and results: turns a finished run into a session, adds masks, and writes the result."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

import numpy as np

from tempseg_mm.apis.inferencer.loading import Loaded
from tempseg_mm.apis.inferencer.output import SegmentationResult
from tempseg_mm.apis.inferencer.sequence_run import SequenceRun, Wishes
from tempseg_mm.inference.online_finetuner import AdaptedGenerator
from tempseg_mm.inference.resume import RunState
from tempseg_mm.inference.walk import FORWARDS
from tempseg_mm.runtime.background import read_ahead
from tempseg_mm.sources.frame_names import FrameNames
from tempseg_mm.sources.frame_source import FrameSource
from tempseg_mm.sources.given_masks import read_given_masks
from tempseg_mm.sources.ground_truth import GroundTruth
from tempseg_mm.sources.inputs import Inputs, placed_box
from tempseg_mm.sources.mask_files import MaskReader
from tempseg_mm.sources.selection import select_object
from tempseg_mm.structures import SegmentedFrame

from .files import SessionFiles, SessionState
from .session import Session


def can_be_corrected(video: object, source: FrameSource) -> bool:
    """Return whether a run can become a session: frames of files can be read again, a camera or arrays cannot."""
    paths = [video] if isinstance(video, (str, os.PathLike)) else video
    return source.rewindable and source.num_frames is not None and isinstance(paths, Sequence) and all(
        isinstance(path, (str, os.PathLike)) for path in paths)


def keep_session(video: object, run: SequenceRun, loaded: Loaded, result: SegmentationResult, reading: Mapping
                 ) -> None:
    """Save a finished run as a session, so that it can be corrected later.

    ``video`` is a path or a list of paths. ``reading`` says how the video was read, see ``SessionState``.
    """
    inputs, files = run.inputs, SessionFiles(run.out)
    state = SessionState.of(video, inputs.source, loaded.settings.get('model', {}), size=inputs.size)
    state.num_frames, state.reading = len(result.records), dict(reading)
    state.objects = inputs.object_names
    state.given = {i: tuple(sorted(inputs.mentioned(i))) for i in sorted(inputs.labels)}
    state.palette = {i: tuple(color) for i, color in enumerate(run.palette.tolist()) if i in state.objects}
    names = {record.frame_id: record.file_name for record in result.records}
    for frame_id, labels in inputs.labels.items():
        files.write_given(names[frame_id], files.labels(names[frame_id]), np.unique(labels[labels > 0]), state)
    for object_id, found in run.adapted.items():
        files.adapted.keep(object_id, found)
    files.note_all(result.records)
    files.save(state)
    result.given = run.out.given
    result.write()


def give_masks(session: Session, masks: object = None, boxes: Sequence[str] = (), *, resize: bool = False,
               ends: bool = False) -> tuple[list[int], list[str]]:
    """Read a person's masks and give them to a session. Objects that a mask does not show stay as they were found.

    Args:
        session: session that takes the masks.
        masks: masks as ``read_given_masks`` takes them.
        boxes: ``'x,y,w,h'`` or ``'x,y,w,h@FRAME'``, each around a new object. A trained network finds the object in it.
        resize: resize masks to the size of the frames.
        ends: objects that a mask does not show are absent from its frame.

    Returns:
        The given frames in order, and sentences for the user about how the masks were read.

    Raises:
        OSError, ValueError: if ``read_given_masks`` or ``select_object`` refuses a mask, or a frame does not exist.
    """
    reader, taken, names = MaskReader(), {}, FrameNames.of(session.source)
    reader.names.add_numbers(session.objects)
    if masks is not None:
        for given in read_given_masks(masks, session.size, names=names, resize=resize, ends=ends, reader=reader):
            session.file_name(given.frame_id)  # raises if the frame does not exist, before any mask is stored
            taken[given.frame_id] = given.labels
    for frame_id, labels in taken.items():
        shown = {int(i) for i in np.unique(labels)} - {0}
        for object_id in sorted(shown - set(session.objects)):
            session.add_object(reader.names.titles.get(object_id, ''), object_id=object_id)
        mentioned = set(session.objects) if ends else shown
        found = session.labels(frame_id)
        kept = np.zeros(session.size, np.uint8) if found is None or ends else np.where(
            np.isin(found, list(mentioned)), 0, found)
        session.give(frame_id, np.where(labels > 0, labels, kept).astype(np.uint8), mentioned=mentioned)
    for box in boxes:
        corners, frame_id = placed_box(box, names, reader.notices)
        mask = select_object(session.image(frame_id), box=corners, guess=session.loaded.guess)
        found = session.labels(frame_id)
        found = np.zeros(session.size, np.uint8) if found is None else found
        object_id = session.add_object()
        already = session.given.get(frame_id, ())
        session.give(frame_id, np.where((mask > 0) & (found == 0), object_id, found).astype(np.uint8),
                     mentioned=[*already, object_id])
        taken[frame_id] = mask
    return sorted(taken), list(reader.notices)


def write_result(session: Session, wishes: Wishes | None = None, *, ground_truth: object = None) -> SegmentationResult:
    """Write overlay, page and ``result.json`` of a session, without running the network.

    Args:
        session: session with all frames finished.
        wishes: see :class:`~tempseg_mm.apis.inferencer.sequence_run.Wishes`.
        ground_truth: masks to score against, see ``GroundTruth``.

    Raises:
        ValueError: if a frame is not finished.
    """
    missing = [i for i in session.frame_ids if session.labels(i) is None]
    if missing:
        raise ValueError(f'frame {missing[0]} has no mask yet ({len(missing)} frames have none): segment the video, or '
                         'continue from the frame before')
    with session.part(session.start, session.start + session.num_frames) as source:
        truth = None if ground_truth is None else GroundTruth(ground_truth, names=FrameNames.of(source),
                                                              notices=source.notices)
        inputs = Inputs(source, session.size, ground_truth=truth)
        inputs.labels = {i: session.files.given(session.file_name(i)) for i in session.given}
        inputs.reader.names.add_numbers(session.objects)
        out = session.files.out
        state = RunState(out.resume, {})
        # A process that was killed may have left a mask without its figures.
        state.figures = {i: dict(confidences={}, sure={}, answer={}) for i in session.frame_ids}
        state.figures.update({i: dict(confidences=record.confidences, sure=record.sure, answer={})
                              for i, record in session.records.items()})
        replayed = Loaded(_Replay(session), session.loaded.checkpoint, session.loaded.notices)
        settings = dict(
            video=session.state.video, start=session.start, end=session.start + session.num_frames, fps=source.fps,
            given_frames=sorted(session.given), objects=list(session.objects), frame_size=list(session.size),
            **session.loaded.settings)
        return SequenceRun(replayed, inputs, out, state, wishes or Wishes()).run(settings)


class _Replay:
    """Stands in for a segmenter when every frame is already known."""

    def __init__(self, session: Session) -> None:
        self.session, self.seen_size = session, session.segmenter.seen_size

    def adapt(self, sequence: Inputs, **_: object) -> dict[int, AdaptedGenerator]:
        return self.session.adapted

    def walk(self, sequence: Inputs, adapted: Mapping, **_: object) -> Iterator[tuple[str, Iterator[SegmentedFrame]]]:
        yield FORWARDS, self._frames(sequence)

    def close(self) -> None:
        """Do nothing, since nothing runs."""

    def _frames(self, sequence: Inputs) -> Iterator[SegmentedFrame]:
        with closing(read_ahead(sequence.frames())) as frames:
            for read in frames:
                frame = SegmentedFrame(sequence.name, read.frame_id, read.file_name, read.image,
                                       object_ids=tuple(self.session.objects), num_frames=sequence.num_frames,
                                       given=read.frame_id in sequence.labels)
                truth = sequence.truth(read)
                if truth is not None:
                    frame.gt_labels, frame.gt_void = truth.ids, truth.void
                yield frame
