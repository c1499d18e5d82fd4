"""The part of a session's video that is walked over, with the masks given there. Made by ``Session``."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

import numpy as np

from tempseg_mm.sources.frame_source import FrameSource, SourceFrame
from tempseg_mm.sources.given_sequence import GivenSequence
from tempseg_mm.sources.spool import FrameSpool


class SessionSequence(GivenSequence):
    """Frames from ``start`` up to, not including, ``end``. Context manager: frames put aside go again.

    Args:
        source: opens a part of the video: ``source(start, end)``.
        image: (H, W, 3) uint8 RGB of any frame.
        name: of the sequence.
        part: first frame, and the one to stop before.
        labels: frame number -> (H, W) uint8 ids; numbers outside of the part are there to learn from.
        mentioned: frame number -> ids of the objects that its labels speak of, beside those they show.
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
        """See :class:`GivenSequence`."""
        return super().mentioned(frame_id) | frozenset(self._mentioned.get(frame_id, ()))

    def given_image(self, frame_id: int) -> np.ndarray:
        """See :class:`GivenSequence`."""
        return self._image(frame_id)

    def frames(self) -> Iterator[SourceFrame]:
        """See :class:`GivenSequence`."""
        with self._open(self.start, self.end) as source:
            yield from source.frames()

    def earlier(self, frame_id: int) -> SourceFrame:
        """See :class:`GivenSequence`."""
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
