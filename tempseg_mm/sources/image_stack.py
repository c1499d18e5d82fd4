"""Frames that lie together in one image file: TIFF stacks, and animated GIF, WebP, PNG and AVIF."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from tempseg_mm.runtime.content_digest import file_digest

from .bit_depth import BitDepth
from .frame_source import PartialSource
from .image_io import NEW_SUBFILE_TYPE, num_pictures, opened_image

SAMPLED = 8  # number of pictures from which the bit depth is found


class ImageStackSource(PartialSource):
    """Reads all pictures of an image file in order, each as a viewer shows it.

    Args:
        path: the file.
        start: first frame.
        end: the frame to stop before.
        fps: frames per second; default: computed from the duration of the first frame.
        resize_frames: resize pictures of another size to the size of the first picture.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: if it is no image; from :meth:`frames`, if one of its pictures is damaged.
        ValueError: if the part lies outside of the file.
    """

    def __init__(self, path: str | Path, *, start: int = 0, end: int | None = None, fps: float | None = None,
                 resize_frames: bool = False) -> None:
        self.path = Path(path)
        with opened_image(str(path), 'frame', pictures=True) as image:
            length = num_pictures(image)
            image.load()  # WebP and AVIF know the duration only after loading
            duration = image.info.get('duration') or 0
        if fps is None and duration > 0:
            fps = 1000 / duration
        super().__init__(self.path.stem, start=start, end=end, length=length, fps=fps, resize_frames=resize_frames)
        self._depth = BitDepth(self.name, self.notices)

    def digests(self) -> dict[str, str]:
        return {self.path.name: file_digest(self.path)}

    def _images(self) -> Iterator[tuple[str, np.ndarray]]:
        for i, pixels in enumerate(itertools.islice(self._pictures(), self.start, None), self.start):
            if pixels.dtype == np.uint16 and not self._depth.bits:
                step = max(1, self.num_frames // SAMPLED)
                self._depth.settle(itertools.islice(self._pictures(), self.start, self.start + self.num_frames, step))
            yield f'{i:05d}', self._depth.rgb8(pixels, f'frame {i} of {self.path}')

    def _pictures(self) -> Iterator[np.ndarray]:
        with opened_image(str(self.path), 'frame', pictures=True) as image:
            first = image.size
            for page in range(image.n_frames if hasattr(image, 'n_frames') else 1):
                image.seek(page)
                if _is_frame(image, page, first):
                    yield _pixels(image)


def _is_frame(image: Image.Image, page: int, first: tuple) -> bool:
    """Return False for previews in a TIFF, and for the still picture of an APNG for viewers without animation."""
    if image.format == 'TIFF':
        return image.size == first and not image.tag_v2.get(NEW_SUBFILE_TYPE, 0) & 1
    return page > 0 or not getattr(image, 'default_image', False)


def _pixels(image: Image.Image) -> np.ndarray:
    if image.mode.startswith('I;16'):
        return np.asarray(image).astype(np.uint16)
    return np.asarray(image if image.mode in ('L', 'RGB') else image.convert('RGB'))
