"""Writers of exported files: cut-outs, mattes, overlays and COCO JSON. Used by the exports of the inferencer.

Each writer is a context manager that opens a file or folder for a shot and yields a function that takes the frames one
by one. After an error no output is left.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from tempseg_mm.runtime.atomic import folder_beside

from .coco_writer import coco_file
from .exporters import OverlayVideoWriter, write_png
from .overlay import cut_out
from .video_writer import MATTE_MP4, VideoProfile, VideoWriter


@dataclass(frozen=True)
class Shot:
    """Settings that all frames of an export share.

    Attributes:
        fps: frames per second.
        timed: True if each frame has its own time.
        names: object id -> name, '' for an object without one.
        suffix: suffix of the frames' files, if the frames are files.
    """
    fps: float
    timed: bool
    names: Mapping[int, str]
    suffix: str


@dataclass(frozen=True)
class ShotFrame:
    """A frame and its masks.

    Attributes:
        frame_id: index in its source.
        name: stem of its files.
        image: (H, W, 3) uint8 RGB.
        labels: (H, W) uint8 object ids.
        time: seconds from the first frame; ``None`` at a constant rate.
    """
    frame_id: int
    name: str
    image: np.ndarray
    labels: np.ndarray
    time: float | None


Opened = Callable[[Path, Shot], AbstractContextManager[Callable[[ShotFrame], None]]]


def video_of(picture: Callable[[ShotFrame], np.ndarray], profile: VideoProfile) -> Opened:
    """Return a writer of a video with one picture per frame.

    Args:
        picture: function that makes (H, W, 3) uint8 RGB from a frame, or (H, W, 4) RGBA if the profile has alpha.
        profile: encoding of the file.
    """
    @contextmanager
    def opened(path: Path, shot: Shot) -> Iterator[Callable[[ShotFrame], None]]:
        with VideoWriter(path, profile, shot.fps, timed=shot.timed) as video:
            yield lambda frame: video.write(picture(frame), frame.time)
    return opened


def overlay_video(profile: VideoProfile) -> Opened:
    """Return a writer of a video with the masks drawn over the frames, in full size."""
    @contextmanager
    def opened(path: Path, shot: Shot) -> Iterator[Callable[[ShotFrame], None]]:
        with OverlayVideoWriter(path, shot.fps, max_side=None, profile=profile, timed=shot.timed) as video:
            yield lambda frame: video.write(frame.image, frame.labels, time=frame.time)
    return opened


def cutout(frame: ShotFrame) -> np.ndarray:
    """Return (H, W, 4) uint8 RGBA, see :func:`~tempseg_mm.visualization.overlay.cut_out`."""
    return cut_out(frame.image, frame.labels)


def matte(frame: ShotFrame) -> np.ndarray:
    """Return (H, W, 3) uint8 RGB: all objects white on black."""
    return _matte(frame.labels > 0)


@contextmanager
def cutout_pictures(path: Path, shot: Shot) -> Iterator[Callable[[ShotFrame], None]]:
    """Write a folder of PNG files, one per frame, each with the frame's name."""
    with folder_beside(path) as folder:
        yield lambda frame: write_png(folder / f'{frame.name}.png', cutout(frame))


@contextmanager
def object_mattes(path: Path, shot: Shot) -> Iterator[Callable[[ShotFrame], None]]:
    """Write a folder of videos, one per object (``1.mp4`` or ``1_dog.mp4``), black until the object first appears."""
    with folder_beside(path) as folder, ExitStack() as stack:
        videos: dict[int, VideoWriter] = {}
        times: list = []

        def write(frame: ShotFrame) -> None:
            shown = set(np.unique(frame.labels).tolist()) - {0}
            for i in sorted({*shot.names, *shown} - {*videos}):
                name = re.sub(r'\W+', '_', shot.names.get(i, '')).strip('_')
                videos[i] = stack.enter_context(VideoWriter(
                    folder / f'{i}{name and "_"}{name}.mp4', MATTE_MP4, shot.fps, timed=shot.timed))
                for time in times:
                    videos[i].write(np.zeros_like(frame.image), time)
            times.append(frame.time)
            for i, video in videos.items():
                video.write(_matte(frame.labels == i), frame.time)
        yield write


@contextmanager
def coco_json(path: Path, shot: Shot) -> Iterator[Callable[[ShotFrame], None]]:
    """Write a COCO file, see :class:`~tempseg_mm.visualization.coco_writer.CocoWriter`. Needs pycocotools."""
    with coco_file(path) as coco:
        yield lambda frame: coco.add(f'{frame.name}{shot.suffix}', frame.labels, shot.names, frame_id=frame.frame_id)


def _matte(mask: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(mask.astype(np.uint8) * 255, cv2.COLOR_GRAY2RGB)
