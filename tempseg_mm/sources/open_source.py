"""Opens a frame source for anything that a person may give as a video."""

import glob
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from tempseg_mm.runtime.notices import Notices

from .arrays import ArraySource
from .camera import CameraSource
from .frame_files import IMAGE_SUFFIXES, frames_in, frames_matching
from .frame_source import FrameSource
from .image_files import ImageFilesSource
from .image_io import num_pictures, opened_image
from .image_stack import ImageStackSource
from .unreadable import nature_of, nearest_file
from .video_file import VideoFileSource


def open_source(video: str | os.PathLike | int | Iterable, *, start: int = 0, end: int | None = None,
                fps: float | None = None, resize_frames: bool = False, masks: Iterable = ()) -> FrameSource:
    """Open a sequence, or a part of it.

    =============================================  ====================================================
    ``video``                                      read as
    =============================================  ====================================================
    a folder                                       its image files, ``frame2`` before ``Frame10``
    an image file                                  one frame, or all pages or pictures of the file
    any other file                                 a video file, upright
    a pattern, ``'shots/a*.png'``                  the image files that match, in natural order
    an int, or text of digits only                 the camera with this number
    a list of paths                                these image files, in this order
    a list or array of pictures                    these pictures; they can be read several times
    an iterator of pictures                        these pictures; they can be read once
    =============================================  ====================================================

    If a file or folder has the name, it is opened, even if the name looks like a pattern or a number. Pictures are
    (H, W, 3) uint8 RGB, or another layout of :func:`~tempseg_mm.sources.image_io.to_rgb8`.

    Args:
        video: see the table.
        start: first frame, counted in the whole source.
        end: the frame to stop before; default: read to the last frame.
        fps: frames per second; default: the rate that the source knows.
        resize_frames: resize frames of another size to the size of the first frame instead of refusing them.
        masks: paths that are given as masks; such a file is no frame, even if it lies among the frames.

    Returns:
        The source. Only headers are read so far; a video file is scanned without decoding.

    Raises:
        FileNotFoundError: if no file, folder or match has that name.
        OSError: if the source cannot be read.
        ValueError: if ``video`` is not in the table, the part lies outside of the source, or frames differ in size.
    """
    part = dict(start=start, end=end, fps=fps, resize_frames=resize_frames)
    if isinstance(video, (int, np.integer)) and not isinstance(video, bool):
        return CameraSource(int(video), **part)
    if isinstance(video, (str, os.PathLike)):
        return _open_path(os.fspath(video), part, tuple(masks))
    if isinstance(video, (Mapping, bytes, bool)) or not isinstance(video, Iterable):
        raise ValueError('a video is a file, a folder of frames, a pattern, the number of a camera, or an iterable of '
                         f'(H, W, 3) uint8 arrays; got {type(video).__name__}')
    if isinstance(video, Sequence) and video and all(isinstance(item, (str, os.PathLike)) for item in video):
        return ImageFilesSource(video, **part)
    return ArraySource(video, **part)


def _open_path(text: str, part: dict, masks: tuple) -> FrameSource:
    path, notices = Path(text), Notices()
    if path.is_dir():
        return ImageFilesSource(frames_in(path, masks=masks, notices=notices), name=path.resolve().name,
                                notices=notices, **part)
    if path.is_file():
        if path.suffix.lower() not in IMAGE_SUFFIXES:
            return VideoFileSource(path, **part)
        if nature_of(path).startswith('a video'):
            raise ValueError(f'{path} has the name of a picture, but it is {nature_of(path)}: rename it')
        with opened_image(text, 'frame', pictures=True) as image:
            is_stack = num_pictures(image) > 1
        return ImageStackSource(path, **part) if is_stack else ImageFilesSource([path], name=path.stem, **part)
    if text.isdecimal():
        return CameraSource(int(text), **part)
    if any(sign in text for sign in '*?['):
        return _open_matches(text, glob.glob(text, recursive=True), part, masks)
    raise FileNotFoundError(f'there is no video file or folder of frames {text!r}{nearest_file(text)}')


def _open_matches(pattern: str, matches: list, part: dict, masks: tuple) -> FrameSource:
    if len(matches) == 1:
        return _open_path(matches[0], part, masks)
    notices = Notices()
    return ImageFilesSource(frames_matching(pattern, matches, masks=masks, notices=notices), notices=notices, **part)
