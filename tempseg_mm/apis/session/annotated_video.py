"""A video in a folder, with the masks that a person drew and the masks that were found. The base of ``Session``."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Self

import numpy as np

from tempseg_mm.apis.inferencer.lost_spans import LostSpan, lost_spans
from tempseg_mm.apis.inferencer.output import OutputFolder
from tempseg_mm.apis.inferencer.recorder import record_of
from tempseg_mm.sources.frame_source import FrameSource, SourceFrame
from tempseg_mm.sources.open_source import open_source
from tempseg_mm.structures import FrameRecord, SegmentedFrame

from .files import SessionFiles, SessionState

KEPT_IMAGES = 4  # full-size images kept in memory


class AnnotatedVideo:
    """Context manager over the folder of an annotated video.

    One process at a time may open the folder, and one thread at a time may change it. Every change is written at once.
    Frame numbers count from the start of the whole video.

    Args:
        files: files of the folder.
        state: video, objects and given masks.
        stack: closed together with this object.

    Attributes:
        records: frame number -> ``FrameRecord`` of the finished frames, in order.
        folder: the folder.
        source: the open video; :meth:`image` reads from it and may be called by any thread.
    """

    def __init__(self, files: SessionFiles, state: SessionState, stack: ExitStack) -> None:
        self.files, self.state, self._stack = files, state, stack
        self.folder = files.out.root
        self.records: dict[int, FrameRecord] = files.figures()
        self.source = stack.enter_context(self.part(self.start, self.start + self.num_frames))
        self.image = lru_cache(KEPT_IMAGES)(self._read_image)

    @property
    def name(self) -> str:
        """Name of the sequence."""
        return self.state.name

    @property
    def start(self) -> int:
        """Number of the first frame."""
        return self.state.start

    @property
    def num_frames(self) -> int:
        """Number of frames, from :attr:`start` on."""
        return self.state.num_frames

    @property
    def frame_ids(self) -> range:
        """Numbers of all frames."""
        return range(self.start, self.start + self.num_frames)

    @property
    def size(self) -> tuple:
        """(H, W) of the frames in pixels."""
        return self.state.size

    @property
    def fps(self) -> float | None:
        """Frames per second; ``None`` if not known."""
        return self.source.fps

    @property
    def times(self) -> np.ndarray | None:
        """Time of each frame in seconds, from 0, float64; ``None`` if not known."""
        return self.source.times

    @property
    def lost(self) -> list[LostSpan]:
        """Spans of the finished frames in which objects were probably lost."""
        return lost_spans(list(self.records.values())) if self.records else []

    @property
    def objects(self) -> dict[int, str]:
        """Object id -> name."""
        return dict(self.state.objects)

    @property
    def given(self) -> dict[int, tuple]:
        """Frame number -> ids of the objects that were drawn there."""
        return dict(self.state.given)

    def file_name(self, frame_id: int) -> str:
        """Return the file name of a frame, without suffix."""
        names = self.source.names
        return names[self._checked(frame_id)] if names else f'{self._checked(frame_id):05d}'

    def frames(self) -> Iterator[SourceFrame]:
        """Yield all frames in order, read from the video."""
        with self.part(self.start, self.start + self.num_frames) as source:
            yield from source.frames()

    def labels(self, frame_id: int) -> np.ndarray | None:
        """Return the (H, W) uint8 object ids of a frame, given masks over found ones; ``None`` if there are neither."""
        return self.files.labels(self.file_name(frame_id))

    def add_object(self, name: str = '', *, object_id: int | None = None) -> int:
        """Add an object.

        Args:
            name: name for users.
            object_id: 1 to 255; default: the smallest free id.

        Returns:
            Its id.

        Raises:
            ValueError: if there are 255 objects already.
        """
        free = [i for i in range(1, 256) if i not in self.state.objects]
        if not free:
            raise ValueError('a video can have at most 255 objects')
        chosen = free[0] if object_id is None else object_id
        self.state.objects = dict(sorted({**self.state.objects, chosen: name}.items()))
        self._save()
        return chosen

    def rename(self, object_id: int, name: str) -> None:
        """Change the name of an object."""
        self._require_objects([object_id])
        self.state.objects[object_id] = name
        self._save()

    def remove_object(self, object_id: int) -> None:
        """Remove an object with all its masks."""
        self._require_objects([object_id])
        for frame_id, ids in self.given.items():
            if object_id in ids:
                self._note_given(frame_id, [i for i in ids if i != object_id])
            if not self.state.given[frame_id]:
                self.take_back(frame_id)
        for frame_id in self.frame_ids:
            self.files.remove_object(self.file_name(frame_id), object_id, self.state)
        del self.state.objects[object_id]
        self.files.adapted.forget(object_id)
        self.records = {i: record.without(object_id) for i, record in self.records.items()}
        self.files.note_all(self.records.values())
        self._save()

    def give(self, frame_id: int, labels: np.ndarray, *, mentioned: Iterable[int] | None = None) -> None:
        """Store the labels of a frame as a person drew them.

        Args:
            frame_id: number of the frame.
            labels: (H, W) uint8 object ids of the whole frame.
            mentioned: ids of the objects that were drawn, or drawn as absent; default: those that differ from the found
                labels. The network learns only from these; the others continue as they were.

        Raises:
            ValueError: if size or type is wrong, or an id belongs to no object.
        """
        if labels.shape != self.size or labels.dtype != np.uint8:
            raise ValueError(f'labels must be {self.size} uint8, got {labels.shape} {labels.dtype}')
        shown = {int(i) for i in np.unique(labels)} - {0}
        self._require_objects(shown)
        name = self.file_name(frame_id)
        if mentioned is None:
            found = self.files.found(name, given=frame_id in self.state.given)
            mentioned = shown if found is None else {
                i for i in self.state.objects if ((labels == i) != (found == i)).any()}
        if not mentioned:
            self.take_back(frame_id)
            return
        if frame_id not in self.state.given:
            self.files.keep_found(name)
        self.files.write_given(name, labels, mentioned, self.state)
        self._note_given(frame_id, mentioned)
        self._save()
        self._note_record(frame_id, labels, dict.fromkeys(mentioned, 1.0))

    def take_back(self, frame_id: int) -> None:
        """Remove the given mask of a frame; the labels that were found there before count again."""
        if self.state.given.pop(self._checked(frame_id), None) is not None:
            self.files.remove_given(self.file_name(frame_id))
            self._save()
            self._note_record(frame_id, self.labels(frame_id), None)

    def _note_record(self, frame_id: int, labels: np.ndarray | None, sure: Mapping[int, float] | None) -> None:
        """Update the figures of a frame after a mask was given (``sure``: of its objects) or taken back (``None``)."""
        before = self.labels(frame_id - 1) if frame_id > self.start else None
        old = self.records.get(frame_id)
        frame = SegmentedFrame(self.name, frame_id, self.file_name(frame_id), self.image(frame_id), labels=labels,
                               given=sure is not None)
        records = {i: record for i, record in self.records.items() if i != frame_id}
        if labels is not None:
            kept = [{} if old is None or sure is None else getattr(old, name) for name in ('confidences', 'sure')]
            confidences, sures = [{**known, **(sure or {})} for known in kept]
            records[frame_id] = record_of(frame, before, tuple(self.state.objects), confidences=confidences, sure=sures)
        self.records = dict(sorted(records.items()))
        self.files.note_all(self.records.values())

    def close(self) -> None:
        """Release the folder."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def part(self, start: int, end: int) -> FrameSource:
        """Open the frames from ``start`` up to, but not including, ``end``; the caller must close the source."""
        return open_source(self.state.video, start=start, end=end, **self.state.reading)

    def _read_image(self, frame_id: int) -> np.ndarray:
        return self.source.frame(self._checked(frame_id)).image

    def _note_given(self, frame_id: int, ids: Iterable[int]) -> None:
        self.state.given = {**self.state.given, frame_id: tuple(sorted(ids))}

    def _save(self) -> None:
        self.files.save(self.state)

    def _checked(self, frame_id: int) -> int:
        if frame_id not in self.frame_ids:
            raise ValueError(f'there is no frame {frame_id}: frames are numbered {self.start} to '
                             f'{self.start + self.num_frames - 1}')
        return frame_id

    def _require_objects(self, ids: Iterable[int]) -> None:
        if unknown := sorted(set(ids) - set(self.state.objects)):
            raise ValueError(f'there is no object {unknown[0]}; the objects are {sorted(self.state.objects)}')


def open_folder(video: str | os.PathLike | list, out_dir: str | Path, model: Mapping, stack: ExitStack, *,
                start: int = 0, end: int | None = None, masks: Iterable = ()) -> tuple[SessionFiles, SessionState]:
    """Begin a session, or continue the session of the folder. The folder is locked until ``stack`` is closed.

    Args:
        video: a file, a folder or a list of images, or a pattern; see ``open_source``.
        out_dir: folder of a session or of a result of ``tempseg-segment``.
        model: config of the network.
        stack: stack that holds the lock.
        start: first frame of a new session.
        end: frame to stop before, for a new session.
        masks: mask files, which are not frames even if they lie among them.

    Raises:
        ValueError: if the source can be read only once, or the folder belongs to another video or network.
        OSError: if a file cannot be read, or the folder has other results or is used by another process.
    """
    out = OutputFolder(out_dir)
    files = SessionFiles(out)
    stack.enter_context(out.held())
    state = files.load() if files.exists else None
    if state is None:
        out.claim()
    else:
        start, end = state.start, state.start + state.num_frames
    reading = dict(state.reading) if state else {}
    reading['masks'] = sorted({*reading.get('masks', ()), *map(os.path.abspath, masks)})
    with open_source(video, start=start, end=end, **reading) as source:
        now = SessionState.of(video, source, model)
    if state is not None:
        state.require_same(now, out.root)
    found = replace(state or now, video=now.video, reading=reading)
    files.save(found)
    return files, found
