"""Draws the pictures of a result (overlay, thumbnails, GIF and page) in a thread beside the network."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import numpy as np

from tempseg_mm.runtime.background import BackgroundWriter, StageClock
from tempseg_mm.sources.video_file import VideoFileSource
from tempseg_mm.structures import FrameRecord
from tempseg_mm.visualization.exporters import OverlayVideoWriter, write_gif
from tempseg_mm.visualization.report import SequenceReport, ThumbnailKeeper, write_sequence_report

from .output import SegmentationResult

GIF_FPS = 10  # highest frame rate of the animation, which is only a preview
MAX_SIDE = 288  # shorter side of the overlay in pixels, so that its encoder keeps up with a small network


class Pictures:
    """Draws the overlay of a sequence frame by frame, and keeps thumbnails of the frames whose masks changed most.

    Args:
        path: path of the overlay video.
        fps: frames per second.
        clock: measures the seconds of drawing and encoding.
        stack: when it closes, the file is finished, or removed after an error.
    """

    def __init__(self, path: str | Path, fps: float, clock: StageClock, stack: ExitStack) -> None:
        self._clock = clock
        self._keeper = ThumbnailKeeper()
        self._video = stack.enter_context(self._timed(OverlayVideoWriter(path, fps, max_side=MAX_SIDE)))
        self._writer = stack.enter_context(BackgroundWriter(self._draw))

    @property
    def thumbnails(self) -> list:
        return self._keeper.thumbnails

    def add(self, index: int, image: np.ndarray, labels: np.ndarray, record: FrameRecord) -> None:
        """Add the next frame. If an earlier frame failed, its error is raised here.

        Args:
            index: index of the frame, from 0.
            image: (H, W, 3) uint8 RGB.
            labels: (H, W) uint8 object ids.
            record: record of the frame.
        """
        change = max((value for value in record.changes.values() if value is not None), default=None)
        self._writer.put(index, image, labels, change)

    @contextmanager
    def _timed(self, video: OverlayVideoWriter) -> Iterator[OverlayVideoWriter]:
        """Also count the time of closing: the encoder looks ahead, so much of its work remains for the end."""
        with ExitStack() as stack:
            yield stack.enter_context(video)
            with self._clock('overlay'):
                stack.close()

    def _draw(self, index: int, image: np.ndarray, labels: np.ndarray, change: float | None) -> None:
        with self._clock('overlay'):
            self._video.write(image, labels)
            self._keeper.add(index, image, labels, change)


def write_overlay_gif(path: str | Path, overlay: str | Path, fps: float) -> None:
    """Write an animation of at most ten frames per second from the overlay.

    Raises:
        ValueError: if the overlay has no frame.
    """
    step = max(1, round(fps / GIF_FPS))
    write_gif(path, (frame for i, frame in enumerate(_frames(overlay)) if i % step == 0), fps=fps / step)


def write_report(result: SegmentationResult, pictures: Pictures, *, title: str, fps: float) -> None:
    """Write the page of a result to ``result.report``."""
    write_sequence_report(result.report, SequenceReport(
        title=title, video=result.overlay, fps=fps, records=result.records, finetune_losses=result.finetune_losses,
        finetune_gains={i: f'{fit.masks}: {fit.gain}' for i, fit in result.finetune_fit.items()},
        settings=result.settings, versions=result.versions, timings=result.timings, notices=result.notices,
        lost=[(span.object_id, span.first, span.last) for span in result.lost], thumbnails=pictures.thumbnails))


def _frames(path: str | Path) -> Iterator[np.ndarray]:
    with VideoFileSource(path) as source, closing(source.frames()) as frames:
        yield from (frame.image for frame in frames)
