"""Frames from wherever a person has them, one at a time: what every source offers, and what those in order share."""

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from tempseg_mm.ops.resize import resize_image
from tempseg_mm.runtime.notices import Notices


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
        names: stems of all frames of the whole source, where they are files; ``None``: frames are called ``'00000'``,
            ``'00001'``, ....
        times: seconds at which each frame of the whole source is shown, from 0, ascending float64; ``None`` where they
            are not known, or where an ``fps`` was asked for.
    """
    name: str
    fps: float | None
    start: int
    num_frames: int | None
    rewindable: bool
    notices: Notices
    names: Sequence | None = None
    times: np.ndarray | None = None

    @abstractmethod
    def frames(self) -> Iterator[SourceFrame]:
        """The frames in order, each decoded when asked for, all of one size.

        Raises:
            OSError: if one cannot be read.
            ValueError: if one differs in size from the first, or is no image.
            RuntimeError: on the second call, where the source is not rewindable.
        """

    def frame(self, frame_id: int) -> SourceFrame:
        """One frame of the part, exactly as :meth:`frames` gives it.

        Image files and arrays are read directly, video files from the key frame before it (the next frame costs least),
        other sources from their beginning. Several threads may call it, also while another reads :meth:`frames`.

        Raises:
            IndexError: if it is not in the part.
            OSError, ValueError: as :meth:`frames`.
            RuntimeError: where the source is not rewindable.
        """
        with closing(self.frames()) as frames:
            for frame in frames:
                if frame.frame_id == frame_id:
                    return frame
        raise IndexError(f'{self.name} has no frame {frame_id}')

    def digests(self) -> dict[str, str]:
        """Name -> digest of the content, of each file or array that the frames come from, in order; none where they
        come but once. What :meth:`frames` reads under equal digests is the same, see ``file_digest``."""
        return {}

    def close(self) -> None:  # noqa: B027 - most sources hold nothing open
        """Release files and devices; the source is of no use afterwards."""

    def __enter__(self) -> 'FrameSource':
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def require_same_size(size: tuple, first: tuple, *, frame: str) -> None:
    """Refuses a frame of another size than the first.

    Args:
        size: (H, W) of the frame.
        first: (H, W) of the first one.
        frame: what it is, for the message.

    Raises:
        ValueError: if they differ.
    """
    if tuple(size) != tuple(first):
        raise ValueError(f'{frame} is {size[0]}x{size[1]} (height x width), the first frame {first[0]}x{first[1]}; all '
                         'must be of one size: --resize-frames (resize_frames=True) brings them to that of the first')


class PartialSource(FrameSource):
    """Part of a source whose images come in order.

    Args:
        name: see :class:`~tempseg_mm.sources.frame_source.FrameSource`.
        start: first frame.
        end: the frame to stop before; ``None``: the last one is read too.
        length: frames in the whole source, where known.
        fps: frames a second, where known.
        resize_frames: bring frames of another size to that of the first instead of refusing them.
        rewindable: whether it can be read again.

    Raises:
        ValueError: a part that is empty, or not within ``length``; an ``fps`` that is not positive.
    """

    def __init__(self, name: str, *, start: int = 0, end: int | None = None, length: int | None = None,
                 fps: float | None = None, resize_frames: bool = False, rewindable: bool = True) -> None:
        _check_part(name, start, end, length)
        if fps is not None and not (fps > 0 and math.isfinite(fps)):
            raise ValueError(f'fps must be positive, got {fps}')
        stop = length if end is None else end
        self.name, self.fps, self.start, self.rewindable = name, fps, start, rewindable
        self.num_frames = None if stop is None else stop - start
        self.notices = Notices()
        self._end, self._resize_frames, self._is_read = end, resize_frames, False
        self._first_size: tuple | None = None

    @abstractmethod
    def _images(self) -> Iterator[tuple[str, np.ndarray]]:
        """File name and (H, W, 3) uint8 RGB of each frame from ``start`` on; ended early by whoever asks."""

    def _end_notice(self, num_read: int) -> str | None:
        """What to say where the images ended after ``num_read`` frames, before ``num_frames``; ``None``: nothing."""
        return f'{self.name} ended before frame {self.start + num_read}; frames up to {self._end} were asked for'

    def _image(self, frame_id: int) -> tuple[str, np.ndarray]:
        """As :meth:`_images`, one frame of the part. Override it where there is a shorter way than past the others."""
        with closing(self._images()) as images:
            for i, named in enumerate(images, self.start):
                if i == frame_id:
                    return named
        raise IndexError(f'{self.name} ended before frame {frame_id}')

    def frames(self) -> Iterator[SourceFrame]:
        if self._is_read and not self.rewindable:
            raise RuntimeError(f'{self.name} can be read only once: keep its frames in a FrameSpool')
        self._is_read = True
        return self._frames()

    def frame(self, frame_id: int) -> SourceFrame:
        if not self.rewindable:
            raise RuntimeError(f'{self.name} has no frames to choose from, as it can be read only once: keep them in a '
                               'FrameSpool')
        stop = math.inf if self.num_frames is None else self.start + self.num_frames
        if not self.start <= frame_id < stop:
            raise IndexError(f'{self.name} has frames {self.start} to {stop - 1}, not {frame_id}')
        if self._first_size is None:
            self._first_size = self._image(self.start)[1].shape[:2]
        return self._checked(frame_id, *self._image(frame_id))

    def _checked(self, frame_id: int, file_name: str, image: np.ndarray) -> SourceFrame:
        if self._resize_frames:
            image = resize_image(image, self._first_size)
        require_same_size(image.shape[:2], self._first_size, frame=f'frame {frame_id} of {self.name}')
        return SourceFrame(frame_id, file_name, image)

    def _frames(self) -> Iterator[SourceFrame]:
        num_read = 0
        limit = None if self._end is None else self._end - self.start
        with closing(self._images()) as images:
            for file_name, image in itertools.islice(images, limit):
                self._first_size = self._first_size or image.shape[:2]
                frame = self._checked(self.start + num_read, file_name, image)
                num_read += 1
                yield frame
        if num_read == 0:
            raise ValueError(f'{self.name} ended before frame {self.start}, the first one asked for')
        if self.num_frames is not None and num_read < self.num_frames and (notice := self._end_notice(num_read)):
            self.notices.add(notice)


def _check_part(name: str, start: int, end: int | None, length: int | None) -> None:
    if length == 0:
        raise ValueError(f'{name} has no frames')
    last = math.inf if length is None else length
    if 0 <= start < last and start < (start + 1 if end is None else end) <= last:
        return
    asked = f'from frame {start} on' if end is None else f'from frame {start} up to, not including, {end}'
    held = '' if length is None else f'; {name} has {length} frame{"s" * (length != 1)}, 0 to {length - 1}'
    raise ValueError(f'the part {asked} is empty or outside of {name}{held}')
