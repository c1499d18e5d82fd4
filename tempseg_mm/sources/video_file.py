"""Frames of a video file, decoded by OpenCV. Made by ``open_source``."""

import math
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from tempseg_mm.runtime.content_digest import file_digest
from tempseg_mm.runtime.safe_path import path_text

from .frame_source import PartialSource


class VideoFileSource(PartialSource):
    """A file that OpenCV reads: MP4, MOV, AVI, MKV, WebM, animated GIF, ....

    Frames are upright: the rotation that telephones note in the header is applied. A later ``start`` is reached by
    decoding what lies before it, as seeking to a frame is not exact in all formats. Where a damaged file ends before
    its header says, what can be read is yielded and a notice tells the frame.

    Args:
        path: the file.
        start: first frame.
        end: the frame to stop before.
        fps: frames a second; default: the header's.
        resize_frames: for files whose size changes midway.

    Raises:
        FileNotFoundError: if there is no such file.
        OSError: if it cannot be opened as a video; from :meth:`frames`, if it has no frame that can be decoded.
        ValueError: for a name that is no text, or a part that the header's number of frames does not cover.
    """

    def __init__(self, path: str | Path, *, start: int = 0, end: int | None = None, fps: float | None = None,
                 resize_frames: bool = False) -> None:
        self.path = Path(path)
        capture = self._open()
        length, rate = capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)
        capture.release()
        if fps is None and rate > 0 and math.isfinite(rate):
            fps = rate
        super().__init__(self.path.stem, start=start, end=end, length=int(length) if 0 < length < 2 ** 31 else None,
                         fps=fps, resize_frames=resize_frames)

    def digests(self) -> dict[str, str]:
        return {self.path.name: file_digest(self.path, most=2 ** 24)}

    def _images(self) -> Iterator[tuple[str, np.ndarray]]:
        capture = self._open()
        try:
            for i in range(self.start):
                if not capture.grab():
                    raise OSError(f'{self.path} cannot be read beyond frame {i - 1}, so not from frame {self.start} '
                                  'on: it is damaged, or its header tells more frames than it has')
            i = self.start
            while (image := capture.read()[1]) is not None:
                yield f'{i:05d}', cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
                i += 1
        finally:
            capture.release()
        if i == self.start:
            raise OSError(f'{self.path} has no frame {i} that can be decoded; copy the file again')

    def _end_notice(self, num_read: int) -> str:
        end = self.start + num_read
        return (f'{self.path} could be read up to frame {end - 1}, {end} frames; {self.start + self.num_frames} were '
                'expected. It was cut off or is damaged there, unless its header is wrong')

    def _open(self) -> cv2.VideoCapture:
        if not self.path.is_file():
            raise FileNotFoundError(f'there is no video file {self.path}')
        capture = cv2.VideoCapture(path_text(self.path.absolute()))  # 'a:b' relative would be a protocol
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        if not capture.isOpened():
            raise OSError(
                f'{self.path} cannot be opened as a video. If it was cut off while it was being written, its index is '
                'missing, which stands at the end of most files: copy it again, or rebuild the index with a tool such '
                'as untrunc. If other players show it, convert it: `ffmpeg -i FILE new.mp4`, or to a folder of '
                'frames: `ffmpeg -i FILE frames/%05d.png`')
        return capture
