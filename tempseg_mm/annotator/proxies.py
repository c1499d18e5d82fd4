"""Small copies of the frames for the page, made in the background in one pass over the source."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from tempseg_mm.ops.resize import fit_shorter_side
from tempseg_mm.runtime.atomic import written_beside
from tempseg_mm.sources.frame_source import SourceFrame

from .messages import jpeg_of

SHORTER_SIDE = 720  # most pixels on the shorter side of a copy
INTERVAL = 8  # frames between two calls of on_ready


def small_jpeg(image: np.ndarray) -> bytes:
    """Encode a frame, (H, W, 3) uint8 RGB, as the small JPEG that lies in the folder."""
    return jpeg_of(fit_shorter_side(image, SHORTER_SIDE))


class FrameProxies:
    """Writes a JPEG of every frame, at most 720 pixels on the shorter side. :meth:`close` deletes them.

    Args:
        folder: folder of the files; its previous content is deleted.
        frames: function that makes an iterator of the frames in order.
        on_ready: called now and then from another thread with the number of finished frames.

    Attributes:
        num_ready: number of finished frames, counted from the first frame.
        fault: message of the error that ended the work early; ``None`` without one.
    """

    def __init__(self, folder: Path, frames: Callable[[], Iterator[SourceFrame]], on_ready: Callable[[int], None]
                 ) -> None:
        self.folder, self._frames, self._on_ready = folder, frames, on_ready
        self.num_ready, self.fault = 0, None
        self._is_closed = threading.Event()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        self._thread = threading.Thread(target=self._work, name='frame proxies', daemon=True)
        self._thread.start()

    def read(self, frame_id: int) -> bytes | None:
        """Return the JPEG of a frame; ``None`` if it is not finished yet."""
        try:
            return self._path(frame_id).read_bytes()
        except FileNotFoundError:
            return None

    def close(self) -> None:
        """End the thread and remove the folder."""
        self._is_closed.set()
        self._thread.join()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, frame_id: int) -> Path:
        return self.folder / f'{frame_id}.jpg'

    def _work(self) -> None:
        try:
            with closing(self._frames()) as frames:
                for frame in frames:
                    if self._is_closed.is_set():
                        return
                    with written_beside(self._path(frame.frame_id)) as beside:
                        beside.write_bytes(small_jpeg(frame.image))
                    self.num_ready += 1
                    if self.num_ready % INTERVAL == 0:
                        self._on_ready(self.num_ready)
        except (OSError, ValueError) as error:  # a damaged file or a full disk; frames are then read one by one
            self.fault = str(error)
        self._on_ready(self.num_ready)
