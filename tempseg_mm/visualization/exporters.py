"""Files of masks and pictures. Used by hooks, the inferencer and exports. A file appears whole or not at all."""

import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import GifImagePlugin, Image

from tempseg_mm.ops.resize import fit_shorter_side, fit_width
from tempseg_mm.runtime.atomic import written_beside

from .overlay import GROUND_TRUTH_COLOR, draw_contour, overlay_mask
from .palette import color_palette
from .video_writer import QUICK_WEBM, VideoProfile, VideoWriter

FOREVER = b'!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00'


def write_indexed_png(path: str | Path, mask: np.ndarray, palette: np.ndarray | None = None) -> None:
    """Write a mask in DAVIS's format: one byte per pixel, the object's id, with a palette.

    Args:
        path: the file; its folder is created.
        mask: (H, W) bool or integers 0 to 255: object ids, 0 the background.
        palette: (256, 3) uint8 RGB, the colour of each id; default: DAVIS's palette.

    Raises:
        ValueError: for another rank, type or range.
    """
    if mask.ndim != 2 or mask.dtype.kind not in 'bui':
        raise ValueError(f'a mask to write must be (H, W) bool or integers, got {mask.shape} {mask.dtype}')
    if mask.size == 0 or mask.min() < 0 or mask.max() > 255:
        raise ValueError(f'object ids must be 0 to 255, and a mask needs at least one pixel, got shape {mask.shape}')
    image = Image.fromarray(mask.astype(np.uint8))
    image.putpalette((color_palette() if palette is None else palette).tobytes())
    with written_beside(path) as beside:
        image.save(beside, format='PNG')


def write_png(path: str | Path, image: np.ndarray) -> None:
    """Write a picture.

    Args:
        path: the file; its folder is created.
        image: (H, W, 3) uint8 RGB, or (H, W, 4) RGBA.
    """
    with written_beside(path) as beside:
        Image.fromarray(image).save(beside, format='PNG')


def write_gif(path: str | Path, frames: Iterable[np.ndarray], *, fps: float = 10, max_width: int = 320) -> None:
    """Write an endless animation. It holds one frame in memory at a time. Each frame has its own 256 colours.

    Args:
        path: the file; its folder is created.
        frames: (H, W, 3) uint8 RGB, all of one size.
        fps: frames per second; GIF counts in hundredths of a second.
        max_width: wider frames are shrunk to this many pixels.

    Raises:
        ValueError: if there is no frame, if frames differ in size, or if ``fps`` is not positive.
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
            # The animation savers of Pillow and imageio collect all frames before they write a byte.
            file.writelines(GifImagePlugin.getdata(image, duration=10 * hundredths, include_color_table=True))
        if size is None:
            raise ValueError('an animation needs at least one frame, got none')
        file.write(b';')


class OverlayVideoWriter:
    """Video for viewing, with masks drawn over its frames. It is written frame by frame and keeps no frame in memory.

    ::

        with OverlayVideoWriter('camel.webm', fps=15) as video:
            for frame in stream:
                video.write(frame.image, frame.labels, gt_mask=frame.gt_labels)

    Most of its time passes outside Python's lock. See :class:`~tempseg_mm.visualization.video_writer.VideoWriter` for
    how the file appears.

    Args:
        path: the file; its folder is created.
        fps: frames per second.
        max_side: frames with a longer shorter side are shrunk to this many pixels before anything is drawn; ``None``:
            no frame is shrunk.
        profile: encoding; default: quickly made WebM for browsers.
        timed: see ``VideoWriter``.

    Raises:
        ValueError: if the suffix is not the profile's, or ``fps`` or ``max_side`` is not positive.
        OSError: from :meth:`write`, if the file cannot be written or PyAV lacks the codec.
    """

    def __init__(self, path: str | Path, fps: float = 15, *, max_side: int | None = 480,
                 profile: VideoProfile = QUICK_WEBM, timed: bool = False) -> None:
        if max_side is not None and max_side < 1:
            raise ValueError(f'max_side must be at least 1 pixel, got {max_side}')
        self._video = VideoWriter(path, profile, fps, timed=timed)
        self.max_side = max_side
        self._shape: tuple[int, ...] = ()

    def write(self, image: np.ndarray, mask: np.ndarray | None = None, *, gt_mask: np.ndarray | None = None,
              time: float | None = None) -> None:
        """Append a frame.

        Args:
            image: (H, W, 3) uint8 RGB, of the first frame's size.
            mask: (H, W), 0/1 or object ids; if given, each object is filled with its colour and outlined.
            gt_mask: (H, W); if given, it is outlined in another colour.
            time: seconds, needed if ``timed``.

        Raises:
            ValueError: if the frame is not (H, W, 3), or differs in size from the first frame or from its masks.
            OSError: see the class.
        """
        name = self._video.path.name
        if image.shape != (self._shape or image.shape):  # checked before shrinking, which may make the sizes equal
            raise ValueError(f'{name}: all frames must be like the first, {self._shape}, got {image.shape}')
        for given in (mask, gt_mask):
            if given is not None and given.shape != image.shape[:2]:
                raise ValueError(f"{name}: a mask must have its frame's size, {image.shape[:2]}, got {given.shape}")
        self._shape, picture = image.shape, self._shrunk(image)
        if mask is not None:
            picture = overlay_mask(picture, self._shrunk(mask, labels=True))
        if gt_mask is not None:
            picture = draw_contour(picture, self._shrunk(gt_mask, labels=True), color=GROUND_TRUTH_COLOR)
        self._video.write(picture, time)

    def close(self) -> None:
        """Finish the file and put it in place."""
        self._video.close()

    def __enter__(self) -> 'OverlayVideoWriter':
        return self

    def __exit__(self, *error: object) -> None:
        self._video.__exit__(*error)

    def _shrunk(self, image: np.ndarray, *, labels: bool = False) -> np.ndarray:
        return image if self.max_side is None else fit_shorter_side(image, self.max_side, labels=labels)
