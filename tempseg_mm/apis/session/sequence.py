"""The part of a session's video that is segmented again, with the masks given there. ``Session`` builds it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

import numpy as np

from tempseg_mm.sources.frame_source import FrameSource, SourceFrame
from tempseg_mm.sources.given_sequence import GivenSequence
from tempseg_mm.sources.spool import FrameSpool


class SessionSequence(GivenSequence):
    """Frames from ``start`` up to, but not including, ``end``. As a context manager, it removes its temporary files.

    Args:
        source: opens a part of the video: ``source(start, end)``.
        image: returns the (H, W, 3) uint8 RGB image of any frame.
        name: name of the sequence.
        part: first frame, and the frame to stop before.
        labels: frame number -> (H, W) uint8 object ids; frames outside the part are only learnt from.
        mentioned: frame number -> ids of the objects that its labels refer to, besides those they show.
        remembered, hidden: see :class:`GivenSequence`.
    """

    def __init__(self, source: Callable[[int, int], FrameSource], image: Callable[[int], np.ndarray], name: str, *,
                 part: tuple, labels: Mapping[int, np.ndarray], mentioned: Mapping[int, tuple],
                 remembered: Mapping[int, np.ndarray], hidden: tuple = ()) -> None:
        self._open, self._image, self.name, self.labels = source, image, name, labels
        self.start, self.end = part
        self.num_frames, self.remembered, self.hidden = self.end - self.start, remembered, hidden
        self._mentioned = mentioned
        self._stack, self._spool, self._names = ExitStack(), None, []

    def mentioned(self, frame_id: int) -> frozenset:
        """Return ids of the objects that the labels of a frame refer to, see :class:`GivenSequence`."""
        return super().mentioned(frame_id) | frozenset(self._mentioned.get(frame_id, ()))

    def given_image(self, frame_id: int) -> np.ndarray:
        """Return the image of a given frame, see :class:`GivenSequence`."""
        return self._image(frame_id)

    def frames(self) -> Iterator[SourceFrame]:
        """Yield the frames of the part in order, see :class:`GivenSequence`."""
        with self._open(self.start, self.end) as source:
            yield from source.frames()

    def earlier(self, frame_id: int) -> SourceFrame:
        """Return a frame before the first given one, from a temporary copy, see :class:`GivenSequence`."""
        if self._spool is None:
            self._spool = self._stack.enter_context(FrameSpool())
            with self._open(self.start, self.first_given) as source:
                for frame in source.frames():
                    self._names.append(frame.file_name)
                    self._spool.append(frame.image)
        i = frame_id - self.start
        return SourceFrame(frame_id, self._names[i], self._spool.read(i))

    def __enter__(self) -> 'SessionSequence':
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()
