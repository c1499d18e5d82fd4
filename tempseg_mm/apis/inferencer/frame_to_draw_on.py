"""Saves a frame of a video as a picture, so that a person can draw its mask."""

from pathlib import Path

from tempseg_mm.runtime.safe_path import inside
from tempseg_mm.sources.open_source import open_source
from tempseg_mm.visualization.exporters import write_png

from .output import OutputFolder, default_folder


def save_frame(video: object, frame_id: int, out_dir: str | Path | None = None) -> tuple[Path, Path]:
    """Write a frame at full size to ``given/00007_frame.png`` of the result folder; no other file changes.

    Args:
        video: a video as ``VOSInferencer`` takes it.
        frame_id: number of the frame, counted from 0.
        out_dir: result folder, as for ``VOSInferencer``.

    Returns:
        The picture, and the file for its mask, ``given/00007.png``. The name assigns the mask to this frame.

    Raises:
        OSError: if the video cannot be read.
        ValueError: if it has no such frame.
    """
    given = OutputFolder(out_dir or default_folder(video)).given
    with open_source(video, start=frame_id, end=frame_id + 1) as source:
        frame = source.frame(frame_id)
    picture = inside(given, f'{frame.file_name}_frame.png')
    write_png(picture, frame.image)
    return picture, picture.with_name(f'{frame.file_name}.png')
