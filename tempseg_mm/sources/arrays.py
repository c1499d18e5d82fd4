"""Frames that a program passes as arrays. ``open_source`` makes this source from a list, an array or an iterator."""

import zlib
from collections.abc import Iterable, Iterator

import numpy as np

from .bit_depth import BitDepth
from .frame_source import PartialSource


class ArraySource(PartialSource):
    """Yields arrays in order and copies each one, so that a generator may reuse one buffer for all frames.

    A list or an array can be read several times, an iterator only once.

    Args:
        images: pictures that :func:`~tempseg_mm.sources.image_io.to_rgb8` accepts, such as (H, W, 3) uint8 RGB; or one
            array (T, H, W, 3).
        start: first frame. Earlier frames of an iterator are read and thrown away.
        end: the frame to stop before.
        fps: frames per second.
        resize_frames: resize frames of another size to the size of the first frame.

    Raises:
        ValueError: if ``images`` is a single picture, or the part lies outside of the frames; from :meth:`frames`, if
            an item is no picture.
    """

    def __init__(self, images: Iterable, *, start: int = 0, end: int | None = None, fps: float | None = None,
                 resize_frames: bool = False) -> None:
        if isinstance(images, np.ndarray) and (images.ndim not in (3, 4) or images.ndim == 3 and images.shape[2] <= 4):
            raise ValueError(f'an array of frames must be (T, H, W, 3), or (T, H, W) in gray, got {images.shape}; put '
                             'a single frame into a list: [image]')
        has_items = hasattr(images, '__len__') and hasattr(images, '__getitem__')
        super().__init__('frames', start=start, end=end, length=len(images) if has_items else None, fps=fps,
                         resize_frames=resize_frames, rewindable=has_items)
        self._source = images
        self._depth = BitDepth('the arrays', self.notices)

    def digests(self) -> dict[str, str]:
        if not isinstance(self._source, np.ndarray | list | tuple):
            return {}  # other containers may decode an item only when it is accessed
        return {f'frame {i}': f'{zlib.crc32(np.ascontiguousarray(np.asarray(image)[::4, ::4])):08x}'
                for i, image in self._numbered()}

    def _images(self) -> Iterator[tuple[str, np.ndarray]]:
        for i, image in self._numbered():
            yield self._named(i, image)

    def _image(self, frame_id: int) -> tuple[str, np.ndarray]:
        return self._named(frame_id, self._source[frame_id])

    def _named(self, i: int, image: object) -> tuple[str, np.ndarray]:
        if getattr(image, 'dtype', None) == np.uint16 and not self._depth.bits:
            sampled = {self.start, self.start + self.num_frames // 2, self.start + self.num_frames - 1} \
                if self.rewindable else ()
            self._depth.settle([image, *(self._source[k] for k in sampled)])
        return f'{i:05d}', np.array(self._depth.rgb8(image, f'frame {i}'))

    def _numbered(self) -> Iterator[tuple[int, np.ndarray]]:
        if self.rewindable:
            yield from ((i, self._source[i]) for i in range(self.start, self.start + self.num_frames))
            return
        for i, image in enumerate(self._source):
            if i >= self.start:
                yield i, image

    def close(self) -> None:
        self._source = ()
