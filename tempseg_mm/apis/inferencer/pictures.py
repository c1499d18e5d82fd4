"""What there is to look at: overlay, thumbnails, GIF, page. Drawn behind the network, in a thread of its own."""

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

GIF_FPS = 10  # of the animation, at most: it is for a glance
MAX_SIDE = 288  # pixels, shorter side of the overlay: its encoder must keep up with a small network


class Pictures:
    """The overlay of a sequence as it grows, and thumbnails of the frames where masks changed most.

    Args:
        path: of the video.
        fps: frames a second.
        clock: told the seconds of drawing and encoding.
        stack: finishes the file, or leaves none after an error.
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
        """The next frame; an error of an earlier one is raised here.

        Args:
            index: from 0.
            image: (H, W, 3) uint8 RGB.
            labels: (H, W) uint8 object ids.
            record: of the frame.
        """
        change = max((value for value in record.changes.values() if value is not None), default=None)
        self._writer.put(index, image, labels, change)

    @contextmanager
    def _timed(self, video: OverlayVideoWriter) -> Iterator[OverlayVideoWriter]:
        """The encoder looks ahead: much of its work is left for the end."""
        with ExitStack() as stack:
            yield stack.enter_context(video)
            with self._clock('overlay'):
                stack.close()

    def _draw(self, index: int, image: np.ndarray, labels: np.ndarray, change: float | None) -> None:
        with self._clock('overlay'):
            self._video.write(image, labels)
            self._keeper.add(index, image, labels, change)


def write_overlay_gif(path: str | Path, overlay: str | Path, fps: float) -> None:
    """An animation of at most ten frames a second from the overlay.

    Raises:
        ValueError: if the overlay has no frame.
    """
    step = max(1, round(fps / GIF_FPS))
    write_gif(path, (frame for i, frame in enumerate(_frames(overlay)) if i % step == 0), fps=fps / step)


def write_report(result: SegmentationResult, pictures: Pictures, *, title: str, fps: float) -> None:
    """The page of a result, at ``result.report``."""
    write_sequence_report(result.report, SequenceReport(
        title=title, video=result.overlay, fps=fps, records=result.records, finetune_losses=result.finetune_losses,
        finetune_gains={i: f'{fit.masks}: {fit.gain}' for i, fit in result.finetune_fit.items()},
        settings=result.settings, versions=result.versions, timings=result.timings, notices=result.notices,
        lost=[(span.object_id, span.first, span.last) for span in result.lost], thumbnails=pictures.thumbnails))


def _frames(path: str | Path) -> Iterator[np.ndarray]:
    with VideoFileSource(path) as source, closing(source.frames()) as frames:
        yield from (frame.image for frame in frames)
