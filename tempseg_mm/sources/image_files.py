"""Frames that lie in files of their own. Made by ``open_source`` from a folder, a pattern or a list of paths."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from tempseg_mm.runtime.content_digest import file_digest
from tempseg_mm.runtime.notices import Notices

from .bit_depth import BitDepth
from .frame_source import PartialSource, require_same_size
from .image_io import image_header, opened_image, turned, verify_image
from .unreadable import image_fault, read_as


class ImageFilesSource(PartialSource):
    """Image files in the order given. Their stems name what is made from them, so no two may be the same.

    The size of every frame is read from its header at once, before any work. Frames are upright: a rotation that EXIF
    notes is applied, and told. What becomes of gray and alpha is told by
    :func:`~tempseg_mm.sources.image_io.to_rgb8`, of 16 bits by :class:`~tempseg_mm.sources.bit_depth.BitDepth`; a
    palette becomes its colours.

    Args:
        paths: the files.
        name: of the sequence; default: the folder of the first file.
        start: first frame.
        end: the frame to stop before.
        fps: frames a second.
        resize_frames: bring frames of another size to that of the first.
        notices: what is to be told of the choice of the files.

    Raises:
        FileNotFoundError: if a file is missing.
        UnreadableImageError: if one is no image, or several; from :meth:`frames`, if one is damaged.
        ValueError: no files, stems that occur twice, another size than the first, a part outside of them.
    """

    def __init__(self, paths: Sequence, *, name: str | None = None, start: int = 0, end: int | None = None,
                 fps: float | None = None, resize_frames: bool = False, notices: Notices | None = None) -> None:
        paths = [Path(path) for path in paths]
        if name is None:
            name = paths[0].absolute().parent.name if paths else 'the list of frames'
        super().__init__(name, start=start, end=end, length=len(paths), fps=fps, resize_frames=resize_frames)
        self.notices = self.notices if notices is None else notices
        self.names, self.paths = [path.stem for path in paths], paths[start:end]
        _require_unique_stems(self.paths)
        with read_as('frame'):
            headers = [_header(path) for path in self.paths]
        for path, header in zip(self.paths, headers, strict=True):
            if not resize_frames:
                require_same_size(header.size, headers[0].size, frame=str(path))
            if header.turn != 1:
                self.notices.add('was turned upright, as its EXIF notes and viewers show it; a mask must be, too: save '
                                 'the frames without EXIF to have them as stored', file=path)
        self.is_turned = any(header.turn != 1 for header in headers)
        self._depth = BitDepth(name, self.notices)

    def digests(self) -> dict[str, str]:
        return {path.name: file_digest(path) for path in self.paths}

    def _images(self) -> Iterator[tuple[str, np.ndarray]]:
        for i in range(len(self.paths)):
            yield self._image(self.start + i)

    def _image(self, frame_id: int) -> tuple[str, np.ndarray]:
        path = self.paths[frame_id - self.start]
        pixels = stored_pixels(path)
        if pixels.dtype == np.uint16 and not self._depth.bits:
            count = len(self.paths)
            self._depth.settle(stored_pixels(self.paths[i]) for i in sorted({0, count // 2, count - 1}))
        return path.stem, self._depth.rgb8(pixels, str(path))


def stored_pixels(path: str | Path) -> np.ndarray:
    """Decodes an image file, upright, with the channels and bits that it has.

    Returns:
        (H, W) gray, (H, W, 3) RGB or (H, W, 4) RGBA, of the type that it has.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: if it cannot be decoded to its end.
    """
    with read_as('frame'):
        size, turn = _header(path)
        stored = np.fromfile(path, np.uint8)  # not cv2.imread, which knows only ASCII names on Windows
        if stored[:2].tobytes() == b'\xff\xd8' and stored[-2:].tobytes() != b'\xff\xd9':
            verify_image(str(path))  # a JPEG without its end mark, which some versions of OpenCV fill up with gray
        try:
            image = cv2.imdecode(stored, cv2.IMREAD_UNCHANGED)
        except cv2.error as error:
            raise image_fault(path, error, 'frame') from error
        if image is None:
            return _by_pillow(path)
    image = turned(image, turn)
    if image.shape[:2] != size:
        raise image_fault(path, 'OpenCV found no pixels, or not as many as its header tells', 'frame')
    return image[..., [2, 1, 0, 3][:image.shape[2]]] if image.ndim == 3 and image.shape[2] >= 3 else image


def _by_pillow(path: str | Path) -> np.ndarray:
    """What OpenCV does not know, or an error that tells more than OpenCV's."""
    with opened_image(str(path)) as image:
        return np.asarray(image if image.mode in ('L', 'RGB', 'I;16') else image.convert('RGB'))


def _header(path: str | Path) -> tuple:
    return image_header.__wrapped__(str(path))  # what it remembers is out of date where frames were written again


def _require_unique_stems(paths: Sequence) -> None:
    seen: dict = {}
    for path in paths:
        if path.stem in seen:
            raise ValueError(f'{seen[path.stem]} and {path} have one name, and so would their masks: rename one, leave '
                             f"it out, or choose by a pattern in quotes, such as '{path.parent / ('*' + path.suffix)}'")
        seen[path.stem] = path
