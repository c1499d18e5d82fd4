"""Frames that lie in files of their own. Made by ``open_source`` from a folder, a pattern or a list of paths."""

import os
from collections.abc import Iterator, Sequence
from inspect import unwrap
from pathlib import Path

import cv2
import numpy as np

from tempseg_mm.runtime.content_digest import file_digest
from tempseg_mm.runtime.safe_path import natural_key
from tempseg_mm.sources.image_io import UnreadableImageError, image_size, verify_image

from .frame_source import PartialSource, require_same_size
from .image_io import to_rgb8

IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp')


class ImageFilesSource(PartialSource):
    """Image files in the order given. Their stems name what is made from them, so no two may be the same.

    The size of every frame is read from its header at once, before any work. Frames are as stored: a rotation that
    EXIF notes is left out, as it is when data sets are read. What becomes of gray, alpha and 16 bits is told by
    :func:`~tempseg_mm.sources.image_io.to_rgb8`; a palette becomes its colours.

    Args:
        paths: the files.
        name: of the sequence; default: the folder of the first file.
        start: first frame.
        end: the frame to stop before.
        fps: frames a second.
        resize_frames: bring frames of another size to that of the first.

    Raises:
        FileNotFoundError: if a file is missing.
        UnreadableImageError: if one is no image; from :meth:`frames`, if one is damaged.
        ValueError: no files, stems that occur twice, another size than the first, a part outside of them.
    """

    def __init__(self, paths: Sequence, *, name: str | None = None, start: int = 0, end: int | None = None,
                 fps: float | None = None, resize_frames: bool = False) -> None:
        paths = [Path(path) for path in paths]
        if name is None:
            name = paths[0].absolute().parent.name if paths else 'the list of frames'
        super().__init__(name, start=start, end=end, length=len(paths), fps=fps, resize_frames=resize_frames)
        self.paths = paths[start:end]
        _require_unique_stems(self.paths)
        sizes = [_stored_size(path) for path in self.paths]
        for path, size in zip(self.paths, () if resize_frames else sizes, strict=False):
            require_same_size(size, sizes[0], frame=str(path))

    def digests(self) -> dict[str, str]:
        return {path.name: file_digest(path) for path in self.paths}

    def _images(self) -> Iterator[tuple[str, np.ndarray]]:
        for path in self.paths:
            yield path.stem, read_frame(path)


def frames_in(folder: str | Path) -> list:
    """Image files in a folder in natural order, ``frame2.png`` before ``frame10.png``; hidden ones are left out.

    Raises:
        FileNotFoundError: if there are none.
    """
    found = _frames_among(entry.path for entry in os.scandir(folder))
    if not found:
        raise FileNotFoundError(f'the folder {folder} holds no frames ({", ".join(IMAGE_SUFFIXES)}){_below(folder)}')
    return found


def frames_matching(pattern: str, matches: Sequence) -> list:
    """Image files among what a pattern found, in natural order.

    Raises:
        FileNotFoundError: if there are none.
    """
    found = _frames_among(matches)
    if not found:
        raise FileNotFoundError(f'no image ({", ".join(IMAGE_SUFFIXES)}) matches {pattern}; '
                                + (f'it found {matches[0]}' if matches else 'it found nothing'))
    return found


def read_frame(path: str | Path) -> np.ndarray:
    """Decodes an image file as stored.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: if it cannot be decoded to its end.
        ValueError: if its pixels are neither 8 nor 16 bits.
    """
    size = _stored_size(path)
    stored = np.fromfile(path, np.uint8)  # not cv2.imread, which knows only ASCII names on Windows
    if stored[:2].tobytes() == b'\xff\xd8' and stored[-2:].tobytes() != b'\xff\xd9':
        verify_image(str(path))  # a JPEG without its end mark, which some versions of OpenCV fill up with gray
    try:
        image = cv2.imdecode(stored, cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise _unreadable(path, error) from error
    if image is None or image.shape[:2] != size:
        raise _unreadable(path, 'OpenCV found no pixels, or not as many as its header tells')
    if image.ndim == 3 and image.shape[2] >= 3:
        image = image[..., [2, 1, 0]]
    return to_rgb8(image, str(path))


def _stored_size(path: str | Path) -> tuple:
    return unwrap(image_size)(str(path))  # what it remembers is out of date where frames were written again


def _unreadable(path: str | Path, reason: object) -> UnreadableImageError:
    return UnreadableImageError(f'image {path} cannot be decoded ({reason}); it is truncated or no image: restore it, '
                                'or leave it out')


def _frames_among(paths: Sequence) -> list:
    found = [os.fspath(path) for path in paths if os.path.isfile(path)
             and os.path.splitext(path)[1].lower() in IMAGE_SUFFIXES and not os.path.basename(path).startswith('.')]
    return sorted(found, key=natural_key)


def _below(folder: str | Path) -> str:
    """A hint, where the frames lie one folder deeper."""
    inner = sorted((entry.path for entry in os.scandir(folder) if entry.is_dir()), key=natural_key)
    holding = [path for path in inner if _frames_among(entry.path for entry in os.scandir(path))]
    return f'; {holding[0]} does' + (f', and {len(holding) - 1} more' if len(holding) > 1 else '') if holding else ''


def _require_unique_stems(paths: Sequence) -> None:
    seen: dict = {}
    for path in paths:
        if path.stem in seen:
            raise ValueError(f'{seen[path.stem]} and {path} have one name, and so would their masks: rename one, or '
                             'leave it out')
        seen[path.stem] = path
