"""The interface of all frame sources, and the base class of sources that read their frames in order."""

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
        frame_id: number of the frame in the whole source, from 0, even if only a part is read.
        file_name: stem for files made from the frame, e.g. ``'00007'``.
        image: (H, W, 3) uint8 RGB, upright.
    """
    frame_id: int
    file_name: str
    image: np.ndarray


class FrameSource(ABC):
    """Frames of one sequence in order: the part from frame ``start`` up to, not including, ``end``.

    Use a source as a context manager, or call :meth:`close`.

    Attributes:
        name: name of the sequence, for folders and titles.
        fps: frames per second; ``None`` if not known.
        start: number of the first frame of the part.
        num_frames: number of frames that :meth:`frames` should yield; ``None`` if it cannot be known (camera,
            iterator). A video file may turn out shorter or longer than its header says.
        rewindable: whether :meth:`frames` can be called more than once.
        notices: facts that the user should read after the run, such as where a damaged file ended.
        names: stems of all frames of the whole source if they are files; ``None``: frames are called ``'00000'``,
            ``'00001'``, ....
        times: time at which each frame of the whole source is shown, ascending float64 seconds from 0; ``None`` if the
            times are not known, or if the caller set ``fps``.
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
        """Yield the frames in order, all of one size. Each frame is decoded when it is requested.

        Raises:
            OSError: if a frame cannot be read.
            ValueError: if a frame is no image, or its size differs from the first frame's.
            RuntimeError: on the second call, if the source is not rewindable.
        """

    def frame(self, frame_id: int) -> SourceFrame:
        """Return one frame of the part, exactly as :meth:`frames` yields it.

        Image files and arrays are read directly. A video file is decoded from the key frame before the wanted frame, so
        the next frame costs least. Other sources are read from their beginning. Several threads may call this method,
        also while another thread reads :meth:`frames`.

        Raises:
            IndexError: if the frame is not in the part.
            OSError, ValueError: see :meth:`frames`.
            RuntimeError: if the source is not rewindable.
        """
        with closing(self.frames()) as frames:
            for frame in frames:
                if frame.frame_id == frame_id:
                    return frame
        raise IndexError(f'{self.name} has no frame {frame_id}')

    def digests(self) -> dict[str, str]:
        """Return name -> digest of the content for each file or array that holds the frames, in order.

        If the digests are equal, :meth:`frames` reads the same frames (see ``file_digest``). Sources that can be read
        only once, and those without digests, return an empty dict.
        """
        return {}

    def close(self) -> None:  # noqa: B027 - most sources hold nothing open
        """Release files and devices. The source cannot be used afterwards."""

    def __enter__(self) -> 'FrameSource':
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def require_same_size(size: tuple, first: tuple, *, frame: str) -> None:
    """Raise ValueError if the size of a frame differs from the first frame's.

    Args:
        size: (H, W) of the frame.
        first: (H, W) of the first frame.
        frame: name of the frame, for the message.
    """
    if tuple(size) != tuple(first):
        raise ValueError(f'{frame} is {size[0]}x{size[1]} (height x width), the first frame is {first[0]}x{first[1]}; '
                         'all must have one size: --resize-frames (resize_frames=True) resizes them to the size of the '
                         'first')


class PartialSource(FrameSource):
    """Base class of sources whose images come in order. It limits them to a part and checks their sizes.

    Args:
        name: name of the sequence.
        start: first frame of the part.
        end: the frame to stop before; ``None``: read to the last frame.
        length: number of frames in the whole source; ``None`` if not known.
        fps: frames per second; ``None`` if not known.
        resize_frames: resize frames of another size to the size of the first frame instead of refusing them.
        rewindable: whether the source can be read more than once.

    Raises:
        ValueError: if the part is empty or not within ``length``, or if ``fps`` is not positive.
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
        """Yield file name and (H, W, 3) uint8 RGB of each frame from ``start`` on; the caller stops at ``end``."""

    def _end_notice(self, num_read: int) -> str | None:
        """Return the notice for images that ended after ``num_read`` frames, before ``num_frames``; ``None``: none."""
        return f'{self.name} ended before frame {self.start + num_read}; frames up to {self._end} were requested'

    def _image(self, frame_id: int) -> tuple[str, np.ndarray]:
        """Return one frame of the part as :meth:`_images` yields it. Override it if the frame can be read directly."""
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
            raise RuntimeError(f'{self.name} can be read only once, so single frames cannot be chosen: keep its frames '
                               'in a FrameSpool')
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
            raise ValueError(f'{self.name} ended before frame {self.start}, the first frame that was requested')
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
