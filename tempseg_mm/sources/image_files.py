"""Frames that lie in one image file each. ``open_source`` makes this source from a folder, a pattern or paths."""

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
    """Reads image files in the order given.

    The stem of a file names the mask made from it, so stems must differ. The constructor reads every header, so sizes
    are checked before any work begins. Frames are upright: the rotation in EXIF is applied, with a notice.
    :func:`~tempseg_mm.sources.image_io.to_rgb8` says what happens to gray and alpha, and
    :class:`~tempseg_mm.sources.bit_depth.BitDepth` what happens to 16 bits. A palette is replaced by its colours.

    Args:
        paths: the files.
        name: name of the sequence; default: the folder of the first file.
        start: first frame.
        end: the frame to stop before.
        fps: frames per second.
        resize_frames: resize frames of another size to the size of the first frame.
        notices: notices about the choice of the files, which this source keeps and adds to.

    Raises:
        FileNotFoundError: if a file is missing.
        UnreadableImageError: if a file is no image, or holds several; from :meth:`frames`, if a file is damaged.
        ValueError: if there are no files, two stems are equal, a frame differs in size from the first, or the part
            lies outside of the files.
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
                self.notices.add('was turned upright as its EXIF says, the way viewers show it; its mask must be '
                                 'upright, too. Save the frames without EXIF to read them as stored', file=path)
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
    """Decode an image file upright, with its own channels and bit depth.

    Returns:
        (H, W) gray, (H, W, 3) RGB or (H, W, 4) RGBA, in the type stored in the file.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableImageError: if it cannot be decoded to its end.
    """
    with read_as('frame'):
        size, turn = _header(path)
        stored = np.fromfile(path, np.uint8)  # cv2.imread reads only ASCII names on Windows
        if stored[:2].tobytes() == b'\xff\xd8' and stored[-2:].tobytes() != b'\xff\xd9':
            verify_image(str(path))  # a JPEG without its end mark; some versions of OpenCV fill its rest with gray
        try:
            image = cv2.imdecode(stored, cv2.IMREAD_UNCHANGED)
        except cv2.error as error:
            raise image_fault(path, error, 'frame') from error
        if image is None:
            return _by_pillow(path)
    image = turned(image, turn)
    if image.shape[:2] != size:
        raise image_fault(path, 'OpenCV found no pixels, or not as many as its header says', 'frame')
    return image[..., [2, 1, 0, 3][:image.shape[2]]] if image.ndim == 3 and image.shape[2] >= 3 else image


def _by_pillow(path: str | Path) -> np.ndarray:
    """Decode a format that OpenCV does not know, or raise an error that says more than OpenCV's."""
    with opened_image(str(path)) as image:
        return np.asarray(image if image.mode in ('L', 'RGB', 'I;16') else image.convert('RGB'))


def _header(path: str | Path) -> tuple:
    return image_header.__wrapped__(str(path))  # without its cache, which is stale if a frame was written again


def _require_unique_stems(paths: Sequence) -> None:
    seen: dict = {}
    for path in paths:
        if path.stem in seen:
            raise ValueError(f'{seen[path.stem]} and {path} have the same name, and so would their masks: rename one, '
                             'leave it out, or choose the frames by a pattern in quotes, such as '
                             f"'{path.parent / ('*' + path.suffix)}'")
        seen[path.stem] = path
