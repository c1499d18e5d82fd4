"""Frames of a camera as it delivers them. Made by ``open_source``."""

from collections.abc import Iterator

import cv2
import numpy as np

from .frame_source import PartialSource


class CameraSource(PartialSource):
    """A camera that OpenCV knows by number. It runs until frame ``end``, until it is unplugged, or until whoever reads
    stops; it can be read once.

    Args:
        index: of the camera, from 0.
        start: first frame; those before it are thrown away.
        end: the frame to stop before.
        fps: frames a second; default: what the camera says.
        resize_frames: for cameras that change their size midway.

    Raises:
        OSError: if there is no such camera, or another program uses it.
        ValueError: an empty part.
    """

    def __init__(self, index: int, *, start: int = 0, end: int | None = None, fps: float | None = None,
                 resize_frames: bool = False) -> None:
        self._capture = cv2.VideoCapture(int(index))
        if not self._capture.isOpened():
            raise OSError(f'camera {index} cannot be opened: is it plugged in, free, and may this user read it (on '
                          'Linux /dev/video*, group video)? A file or folder is named by its path')
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
