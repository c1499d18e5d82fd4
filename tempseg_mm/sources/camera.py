"""Frames of a camera as it delivers them. ``open_source`` makes this source from a camera number."""

from collections.abc import Iterator

import cv2
import numpy as np

from .frame_source import PartialSource


class CameraSource(PartialSource):
    """Reads a camera that OpenCV knows by number, once: up to ``end``, until it is unplugged, or until reading stops.

    Args:
        index: number of the camera, from 0.
        start: first frame. Earlier frames are thrown away.
        end: the frame to stop before.
        fps: frames per second; default: the rate that the camera reports.
        resize_frames: resize frames of another size to the size of the first frame, for cameras that change their size.

    Raises:
        OSError: if there is no such camera, or another program uses it.
        ValueError: if the part is empty.
    """

    def __init__(self, index: int, *, start: int = 0, end: int | None = None, fps: float | None = None,
                 resize_frames: bool = False) -> None:
        self._capture = cv2.VideoCapture(int(index))
        if not self._capture.isOpened():
            raise OSError(f'camera {index} cannot be opened: is it plugged in, is it free, and may this user read it '
                          '(on Linux /dev/video*, group video)? For a file or a folder, give its path')
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        if fps is None and rate > 0:
            fps = rate
        super().__init__(f'camera{index}', start=start, end=end, fps=fps, resize_frames=resize_frames,
                         rewindable=False)

    def _images(self) -> Iterator[tuple[str, np.ndarray]]:
        for _ in range(self.start):
            self._capture.grab()
        i = self.start
        while (image := self._capture.read()[1]) is not None:
            yield f'{i:05d}', cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            i += 1
        if i == self.start:
            raise OSError(f'{self.name} delivers no frames: does another program use it?')
        if self._end is None:
            self.notices.add(f'{self.name} stopped after frame {i - 1}')

    def close(self) -> None:
        self._capture.release()
