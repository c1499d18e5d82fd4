"""Frames from wherever a person has them, one at a time. Read by ``tempseg_mm.apis.inferencer``; holds no sequence."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SourceFrame:
    """One decoded frame.

    Attributes:
        frame_id: index within the whole source, from 0, whatever part of it is asked for.
        file_name: stem for the files made from it, e.g. ``'00007'``.
        image: (H, W, 3) uint8 RGB, upright.
    """
    frame_id: int
    file_name: str
    image: np.ndarray


class FrameSource(ABC):
    """Frames of one sequence in order, the part from frame ``start`` up to, not including, ``end``.

    Use as a context manager, or :meth:`close` it.

    Attributes:
        name: of the sequence, for folders and titles.
        fps: frames a second where known, else ``None``.
        start: first frame.
        num_frames: how many :meth:`frames` is expected to yield; ``None`` where nobody can know (camera, iterator).
            A video file may turn out shorter or longer than its header says.
        rewindable: whether :meth:`frames` can be called more than once.
        notices: what the user should hear of by the end, such as where a damaged file ended.
    """
    name: str
    fps: float | None
    start: int
    num_frames: int | None
    rewindable: bool
    notices: list

    @abstractmethod
    def frames(self) -> Iterator[SourceFrame]:
        """The frames in order, each decoded when asked for, all of one size.

        Raises:
            OSError: if one cannot be read.
            ValueError: if one differs in size from the first, or is no image.
            RuntimeError: on the second call, where the source is not rewindable.
        """

    def close(self) -> None:  # noqa: B027 - most sources hold nothing open
        """Release files and devices; the source is of no use afterwards."""

    def __enter__(self) -> 'FrameSource':
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
