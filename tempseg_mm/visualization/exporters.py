"""Masks and pictures into files. Used by the export and picture hooks; a file appears whole or not at all."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from tempseg_mm.atomic import written_beside

from .overlay import GROUND_TRUTH_COLOR, draw_contour, overlay_mask
from .palette import color_palette


def write_indexed_png(path: str | Path, mask: np.ndarray) -> None:
    """Write a mask as DAVIS does: one byte a pixel, the object's id, with a palette.

    Args:
        path: the file; its folder is made.
        mask: (H, W) bool or integers 0 to 255: object ids, 0 the background.

    Raises:
        ValueError: another rank, type or range.
    """
    if mask.ndim != 2 or mask.dtype.kind not in 'bui':
        raise ValueError(f'a mask to write must be (H, W) bool or integers, got {mask.shape} {mask.dtype}')
    if mask.size == 0 or mask.min() < 0 or mask.max() > 255:
        raise ValueError(f'object ids must be 0 to 255 and at least one pixel, got shape {mask.shape}')
    image = Image.fromarray(mask.astype(np.uint8))
    image.putpalette(color_palette().tobytes())
    with written_beside(path) as beside:
        image.save(beside, format='PNG')


def write_png(path: str | Path, image: np.ndarray) -> None:
    """Write a picture.

    Args:
        path: the file; its folder is made.
        image: (H, W, 3) uint8 RGB.
    """
    with written_beside(path) as beside:
        Image.fromarray(image).save(beside, format='PNG')


def write_gif(path: str | Path, frames: Iterable[np.ndarray], *, fps: float = 10) -> None:
    """Write an endless animation. Holds a palette picture of each frame in memory.

    Args:
        path: the file; its folder is made.
        frames: (H, W, 3) uint8 RGB, all of one size.
        fps: frames a second; GIF counts in hundredths of a second.

    Raises:
        ValueError: no frame, or an ``fps`` that is not positive.
    """
    if not fps > 0:
        raise ValueError(f'fps must be positive, got {fps}')
    images = [Image.fromarray(frame).quantize() for frame in frames]
    if not images:
        raise ValueError('an animation needs at least one frame, got none')
    options = dict(save_all=True, append_images=images[1:], duration=round(1000 / fps), loop=0)
    with written_beside(path) as beside:
        images[0].save(beside, format='GIF', **options)


class OverlayVideoWriter:
    """An MP4 that grows frame by frame; holds no frame.

    ::

        with OverlayVideoWriter('camel.mp4', fps=15) as video:
            for frame in stream:
                video.write(frame.image, frame.mask, gt_mask=frame.gt_mask)

    The file is written beside and renamed on :meth:`close`; after an error, or without any frame, none is left.

    Args:
        path: the file, ending in ``.mp4``; its folder is made.
        fps: frames a second.

    Raises:
        ValueError: another suffix, or an ``fps`` that is not positive.
        OSError: from :meth:`write`, where OpenCV cannot open the file or lacks the codec.
    """

    def __init__(self, path: str | Path, fps: float = 15) -> None:
        self.path = Path(path)
        if self.path.suffix.lower() != '.mp4':
            raise ValueError(f'the codec needs a name that ends in .mp4, got {self.path.name!r}')
        if not fps > 0:
            raise ValueError(f'fps must be positive, got {fps}')
        self.fps = fps
        self._stack = ExitStack()
        self._writer: cv2.VideoWriter | None = None
        self._shape: tuple[int, ...] = ()

    def write(self, image: np.ndarray, mask: np.ndarray | None = None, *, gt_mask: np.ndarray | None = None) -> None:
        """Append a frame.

        Args:
            image: (H, W, 3) uint8 RGB, of the first frame's size. Odd sides are filled up by a copy of the edge.
            mask: (H, W), filled and outlined, where given.
            gt_mask: (H, W), outlined in another colour, where given.

        Raises:
            ValueError: a frame that is not (H, W, 3), or of another size than the first.
            OSError: see the class.
        """
        if self._writer is None:
            self._open(image.shape)
        if image.shape != self._shape:
            raise ValueError(f'{self.path.name}: a frame is {image.shape}, the first was {self._shape}')
        if mask is not None:
            image = overlay_mask(image, mask)
        if gt_mask is not None:
            image = draw_contour(image, gt_mask, color=GROUND_TRUTH_COLOR)
        height, width = image.shape[:2]
        even = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        self._writer.write(cv2.cvtColor(even, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        """Finish the file and put it in place."""
        self.__exit__(None, None, None)

    def __enter__(self) -> 'OverlayVideoWriter':
        return self

    def __exit__(self, *error: object) -> None:
        if self._writer is not None:
            self._writer.release()
            self._writer = None
        self._stack.__exit__(*error)

    def _open(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 3 or shape[2] != 3:
            raise ValueError(f'{self.path.name}: a frame must be (H, W, 3) RGB, got {shape}')
        height, width = shape[:2]
        beside = self._stack.enter_context(written_beside(self.path))
        size = (width + width % 2, height + height % 2)
        writer = cv2.VideoWriter(str(beside), cv2.VideoWriter_fourcc(*'mp4v'), self.fps, size)
        if not writer.isOpened():
            error = OSError(f'OpenCV cannot write {self.path} (codec mp4v, {size[0]}x{size[1]} pixels); is the folder '
                            'writable and OpenCV built with FFmpeg? `write_gif` needs neither')
            self._stack.__exit__(OSError, error, None)
            raise error
        self._writer, self._shape = writer, shape
