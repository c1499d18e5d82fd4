"""Masks and pictures into files. Used by the export and picture hooks; a file appears whole or not at all."""

import struct
from collections.abc import Iterable
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import GifImagePlugin, Image

from tempseg_mm.ops.resize import fit_shorter_side, fit_width
from tempseg_mm.runtime.atomic import written_beside

from .overlay import GROUND_TRUTH_COLOR, draw_contour, overlay_mask
from .palette import color_palette

# Free, and all browsers play it. Set up for real time it takes a third of the time of OpenCV's VP8, or less.
CODEC, SUFFIX = 'libvpx-vp9', '.webm'
QUICK = {'deadline': 'realtime', 'cpu-used': '8', 'lag-in-frames': '0', 'crf': '20', 'b': '0', 'g': '12'}
FOREVER = b'!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00'


def write_indexed_png(path: str | Path, mask: np.ndarray, palette: np.ndarray | None = None) -> None:
    """Write a mask as DAVIS does: one byte a pixel, the object's id, with a palette.

    Args:
        path: the file; its folder is made.
        mask: (H, W) bool or integers 0 to 255: object ids, 0 the background.
        palette: (256, 3) uint8 RGB, the colour of each id; default: that of DAVIS.

    Raises:
        ValueError: another rank, type or range.
    """
    if mask.ndim != 2 or mask.dtype.kind not in 'bui':
        raise ValueError(f'a mask to write must be (H, W) bool or integers, got {mask.shape} {mask.dtype}')
    if mask.size == 0 or mask.min() < 0 or mask.max() > 255:
        raise ValueError(f'object ids must be 0 to 255 and at least one pixel, got shape {mask.shape}')
    image = Image.fromarray(mask.astype(np.uint8))
    image.putpalette((color_palette() if palette is None else palette).tobytes())
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


def write_gif(path: str | Path, frames: Iterable[np.ndarray], *, fps: float = 10, max_width: int = 320) -> None:
    """Write an endless animation. Holds one frame at a time; each has 256 colours of its own.

    Args:
        path: the file; its folder is made.
        frames: (H, W, 3) uint8 RGB, all of one size.
        fps: frames a second; GIF counts in hundredths of a second.
        max_width: wider frames are shrunk to this many pixels.

    Raises:
        ValueError: no frame, frames of different sizes, or an ``fps`` that is not positive.
    """
    if not fps > 0:
        raise ValueError(f'fps must be positive, got {fps}')
    hundredths = max(1, round(100 / fps))
    size = None
    with written_beside(path) as beside, open(beside, 'wb') as file:
        for frame in frames:
            image = Image.fromarray(fit_width(frame, max_width)).quantize()
            if size is None:
                size = image.size
                file.write(b'GIF89a' + struct.pack('<HHBBB', *size, 0, 0, 0) + FOREVER)
            if image.size != size:
                raise ValueError(f'the frames of an animation must be of one size, got {image.size} after {size}')
            # Pillow's own way of saving an animation, also imageio's, collects all of it before it writes a byte.
            file.writelines(GifImagePlugin.getdata(image, duration=10 * hundredths, include_color_table=True))
        if size is None:
            raise ValueError('an animation needs at least one frame, got none')
        file.write(b';')


class OverlayVideoWriter:
    """A WebM video that browsers play and that grows frame by frame; holds no frame.

    ::

        with OverlayVideoWriter('camel.webm', fps=15) as video:
            for frame in stream:
                video.write(frame.image, frame.labels, gt_mask=frame.gt_labels)

    The file is written beside and renamed on :meth:`close`; after an error, or without any frame, none is left. The
    codec is VP9, a key frame in every twelve, so that a page can seek; most of its time passes outside Python's lock.

    Args:
        path: the file, ending in ``.webm``; its folder is made.
        fps: frames a second.
        max_side: frames whose shorter side is longer are shrunk to it, in pixels, before anything is drawn.

    Raises:
        ValueError: another suffix, or an ``fps`` or ``max_side`` that is not positive.
        OSError: from :meth:`write`, where the file cannot be written or PyAV lacks the codec.
    """

    def __init__(self, path: str | Path, fps: float = 15, *, max_side: int = 480) -> None:
        self.path = Path(path)
        if self.path.suffix.lower() != SUFFIX:
            raise ValueError(f'the codec needs a name that ends in {SUFFIX}, got {self.path.name!r}')
        if not fps > 0:
            raise ValueError(f'fps must be positive, got {fps}')
        if max_side < 1:
            raise ValueError(f'max_side must be at least 1 pixel, got {max_side}')
        self.fps = fps
        self.max_side = max_side
        self._stack = ExitStack()
        self._video: av.VideoStream | None = None
        self._shape: tuple[int, ...] = ()

    def write(self, image: np.ndarray, mask: np.ndarray | None = None, *, gt_mask: np.ndarray | None = None) -> None:
        """Append a frame.

        Args:
            image: (H, W, 3) uint8 RGB, of the first frame's size. Odd sides are filled up by a copy of the edge.
            mask: (H, W), 0/1 or object ids: filled, each object in its colour, and outlined, where given.
            gt_mask: (H, W), outlined in another colour, where given.

        Raises:
            ValueError: a frame that is not (H, W, 3), or of another size than the first or than its masks.
            OSError: see the class.
        """
        if self._video is None:
            self._open(image.shape)
        if image.shape != self._shape:
            raise ValueError(f'{self.path.name}: a frame is {image.shape}, the first was {self._shape}')
        for given in (mask, gt_mask):
            if given is not None and given.shape != image.shape[:2]:
                raise ValueError(f'{self.path.name}: a mask is {given.shape}, its frame {image.shape[:2]}')
        picture = fit_shorter_side(image, self.max_side)
        if mask is not None:
            picture = overlay_mask(picture, fit_shorter_side(mask, self.max_side, labels=True))
        if gt_mask is not None:
            gt_mask = fit_shorter_side(gt_mask, self.max_side, labels=True)
            picture = draw_contour(picture, gt_mask, color=GROUND_TRUTH_COLOR)
        height, width = picture.shape[:2]
        even = cv2.copyMakeBorder(picture, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        self._encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format='rgb24'))

    def close(self) -> None:
        """Finish the file and put it in place."""
        self.__exit__(None, None, None)

    def __enter__(self) -> 'OverlayVideoWriter':
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*error)
        self._video = None

    def _open(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 3 or shape[2] != 3:
            raise ValueError(f'{self.path.name}: a frame must be (H, W, 3) RGB, got {shape}')
        height, width = fit_shorter_side(np.zeros(shape[:2], np.uint8), self.max_side).shape
        size = dict(width=width + width % 2, height=height + height % 2)
        rate = Fraction(self.fps).limit_denominator(1001)
        with ExitStack() as stack:
            file = stack.enter_context(open(stack.enter_context(written_beside(self.path)), 'wb'))
            container = stack.enter_context(av.open(file, 'w', format='webm'))
            try:
                video = container.add_stream(CODEC, rate=rate, options=QUICK, pix_fmt='yuv420p', **size)
            except ValueError as error:
                raise OSError(f'cannot write {self.path}: this PyAV lacks the codec {CODEC}, which its wheels have: '
                              'pip install --force-reinstall av. `write_gif` does without it') from error
            video.codec_context.thread_count = 1
            stack.push(self._finish)
            self._stack, self._video, self._shape = stack.pop_all(), video, shape

    def _encode(self, frame: av.VideoFrame | None) -> None:
        self._video.container.mux(self._video.encode(frame))

    def _finish(self, kind: type | None, *_: object) -> None:
        if kind is None:
            self._encode(None)  # whatever the encoder still holds
