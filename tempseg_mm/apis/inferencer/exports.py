"""Exports results for editors, web pages and other programs: cut-outs with alpha, mattes, full-size overlays, COCO
JSON.

Frames are read once, one at a time, and all kinds are written in parallel.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tempseg_mm.apis.session.files import SessionFiles
from tempseg_mm.runtime.atomic import remove_leftovers, written_beside
from tempseg_mm.sources.frame_source import FrameSource
from tempseg_mm.sources.image_files import ImageFilesSource
from tempseg_mm.sources.open_source import open_source
from tempseg_mm.visualization.coco_writer import require_pycocotools
from tempseg_mm.visualization.export_writers import (
    Opened,
    Shot,
    ShotFrame,
    coco_json,
    cutout,
    cutout_pictures,
    matte,
    object_mattes,
    overlay_video,
    video_of,
)
from tempseg_mm.visualization.video_writer import MATTE_MP4, MP4, PRORES_4444, WEBM, WEBM_ALPHA

from .display import OnProgress, silent
from .output import OutputFolder, default_folder

STEADY = 1.5e-3  # tolerance in seconds for a constant frame rate: some containers store milliseconds
DEFAULT_FPS = 24.0  # frame rate of videos if the source does not tell
EDITORS = 'DaVinci Resolve, Premiere, Final Cut, After Effects'


@dataclass(frozen=True)
class Export:
    """A kind of export.

    Attributes:
        file_name: name of the file, or of the folder if the kind has many files.
        description: what it is, for users.
        suits: the programs that can use it.
        opened: its writer.
    """
    file_name: str
    description: str
    suits: str
    opened: Opened = field(repr=False)


EXPORTS: dict[str, Export] = {
    'cutout-png': Export('cutout', 'objects cut out, with alpha: one PNG file per frame',
                         'Blender, Nuke, Photoshop, GIMP, every editor as an image sequence', cutout_pictures),
    'prores': Export('cutout.mov', 'objects cut out, with alpha (ProRes 4444)', EDITORS,
                     video_of(cutout, PRORES_4444)),
    'cutout-webm': Export('cutout.webm', 'objects cut out, with alpha (VP9)', 'web pages (Chrome, Firefox), OBS',
                          video_of(cutout, WEBM_ALPHA)),
    'matte': Export('matte.mp4', 'objects white on black (H.264)', f'{EDITORS}, as a track matte beside the video',
                    video_of(matte, MATTE_MP4)),
    'object-mattes': Export('mattes', 'the same, one video per object (H.264)',
                            f'{EDITORS}, to treat objects separately', object_mattes),
    'overlay-mp4': Export('overlay_full.mp4', 'objects tinted, full size (H.264)', 'every player, slides, messengers',
                          overlay_video(MP4)),
    'overlay-webm': Export('overlay_full.webm', 'objects tinted, full size (VP9)', 'web pages, Wikimedia Commons',
                           overlay_video(WEBM)),
    'coco': Export('coco.json', 'masks as RLE, boxes, areas and tracks (COCO JSON)',
                   'CVAT, FiftyOne, Detectron2, MMDetection', coco_json),
}


def export_kinds(names: str | Iterable[str]) -> list[str]:
    """Return the kinds of export that a user names: names, lists of names with commas, or ``all``.

    Returns:
        Keys of :data:`EXPORTS`, each once, in the order of :data:`EXPORTS`.

    Raises:
        ValueError: if a name is unknown.
        ImportError: if COCO JSON is named and pycocotools is missing.
    """
    asked = {name.strip() for text in ([names] if isinstance(names, str) else names) for name in text.split(',')}
    unknown = asked - {*EXPORTS, 'all', ''}
    if unknown:
        raise ValueError(f'unknown export: {", ".join(sorted(unknown))}; expected {", ".join(EXPORTS)}, or all')
    if asked & {'coco', 'all'}:
        require_pycocotools()
    return [kind for kind in EXPORTS if kind in asked or 'all' in asked]


def export_masks(kinds: Iterable[str], frames: Iterable[tuple], folder: str | Path, *, size: Sequence[int],
                 times: Sequence[float] | None, fps: float, object_names: Mapping[int, str] | None = None,
                 num_frames: int | None = None, suffix: str = '.png', on_progress: OnProgress = silent
                 ) -> dict[str, Path]:
    """Write exports of frames and their masks. Each file appears complete or not at all.

    A cut-out shows all objects; its alpha is straight (not premultiplied), 255 inside the masks, else 0. If the frame
    rate is not constant, frames keep their times; the first is shown at 0.

    Args:
        kinds: keys of :data:`EXPORTS`.
        frames: tuples of frame id, file name without suffix, (H, W, 3) uint8 RGB image and (H, W) uint8 object ids.
        folder: output folder; existing files of these kinds are replaced.
        size: (H, W) of the frames in pixels.
        times: time of each frame of the source in seconds, by frame id; ``None`` if the rate is constant.
        fps: frame rate if it is constant, in frames per second.
        object_names: object id -> name of every object, '' if it has none.
        num_frames: number of frames, for ``on_progress``; ``None`` if not known.
        suffix: suffix of the frame files, for COCO JSON.
        on_progress: called with ``'exporting'``, frames done and frames in all.

    Returns:
        Kind -> its file or folder.

    Raises:
        ValueError: if a kind is unknown, there is no frame, a size differs, or the times do not ascend.
        OSError: if a file cannot be written, or this PyAV lacks a codec.
        ImportError: if COCO JSON is named and pycocotools is missing.
    """
    kinds, size, folder = export_kinds(kinds), tuple(size), Path(folder)
    written = {kind: folder / EXPORTS[kind].file_name for kind in kinds}
    timed = times is not None and not _is_steady(np.asarray(times), fps)
    shot = Shot(fps, timed, dict(object_names or {}), suffix)
    remove_leftovers(folder)
    count, began = 0, None
    with ExitStack() as stack:
        writers = [stack.enter_context(EXPORTS[kind].opened(written[kind], shot)) for kind in kinds]
        for count, (frame_id, name, image, labels) in enumerate(frames, 1):
            if image.shape != (*size, 3) or labels.shape != size:
                raise ValueError(f'frame {frame_id} is {image.shape} and its mask {labels.shape}; both must be {size}')
            began = times[frame_id] if timed and began is None else began
            frame = ShotFrame(frame_id, name, image, labels, float(times[frame_id] - began) if timed else None)
            for write in writers:
                write(frame)
            on_progress('exporting', count, num_frames)
        if not count:
            raise ValueError(f'there is no frame to export to {folder}')
    return written


def require_second_reading(source: FrameSource) -> None:
    """Check that a source can be read a second time.

    Raises:
        ValueError: if its frames come only once.
    """
    if not source.rewindable:
        raise ValueError(f'exports read the frames a second time, but {source.name} can be read only once: leave '
                         'the exports out, or save the frames to a file first')


def export_result(kinds: Iterable[str], source: FrameSource, out: OutputFolder, *, fps: float,
                  object_names: Mapping[int, str] | None = None, on_progress: OnProgress = silent) -> dict[str, Path]:
    """Export a source with its masks from a result folder, to ``exports`` in that folder.

    Args:
        kinds: keys of :data:`EXPORTS`.
        source: the frames; read from the beginning.
        out: result folder with the mask of each frame.
        fps: frame rate if the source does not tell.
        object_names, on_progress: see :func:`export_masks`.

    Raises:
        FileNotFoundError: if a frame has no mask.
        OSError, ValueError, ImportError: see :func:`export_masks`.
    """
    with closing(source.frames()) as frames:
        return export_masks(
            kinds, ((frame.frame_id, frame.file_name, frame.image, out.read_mask(frame.file_name)) for frame in frames),
            out.exports, size=source.frame(source.start).image.shape[:2], times=source.times, fps=source.fps or fps,
            object_names=object_names, num_frames=source.num_frames,
            suffix=source.paths[0].suffix if isinstance(source, ImageFilesSource) else '.png', on_progress=on_progress)


def export_finished(kinds: Iterable[str], video: object, out_dir: str | Path | None = None, *, fps: float | None = None,
                    on_progress: OnProgress = silent) -> dict[str, Path]:
    """Export the result of an earlier call, without a network, and list the exports in ``result.json``.

    The frames are read with the settings of that call.

    Args:
        kinds: keys of :data:`EXPORTS`.
        video: video of the earlier call, see ``open_source``.
        out_dir: result folder of the earlier call; default: the same as in a call.
        fps: frames per second; default: those of the call.
        on_progress: see :func:`export_masks`.

    Returns:
        Kind -> its file or folder.

    Raises:
        FileNotFoundError: if the folder has no finished result.
        ValueError: if the frames are not those of the result.
        OSError, ImportError: see :func:`export_masks`.
    """
    kinds, out = export_kinds(kinds), OutputFolder(out_dir or default_folder(video))
    if not out.result.is_file():
        raise FileNotFoundError(f'there is no finished result in {out.root} to export: give a --mask or a --box to '
                                'make one, or name the folder of the result with --out')
    with out.held():
        result = json.loads(out.result.read_text(encoding='utf-8'))
        settings = result['settings']
        files = SessionFiles(out)
        session = files.load() if files.exists else None
        reading = dict(session.reading) if session else {}
        reading['fps'] = fps or reading.get('fps')
        with open_source(video, start=settings['start'], end=settings['end'], **reading) as source:
            if not fps and settings['fps'] != source.fps:  # for arrays, the rate was an argument of the call
                source.fps, source.times = settings['fps'], None
            require_second_reading(source)
            size, found = list(source.frame(source.start).image.shape[:2]), len(result['records'])
            if size != settings['frame_size'] or source.num_frames < found:  # damaged videos announce too many frames
                raise ValueError(f'{out.root} is the result of {settings["video"]}: {found} frames of (height, width) '
                                 f'{settings["frame_size"]}, but {source.name} has {source.num_frames} of {size}')
            names = session.objects if session else dict.fromkeys(settings['objects'], '')
            written = export_result(kinds, source, out, fps=DEFAULT_FPS, object_names=names, on_progress=on_progress)
        result['exports'] = {**result.get('exports', {}), **{kind: str(path) for kind, path in written.items()}}
        with written_beside(out.result) as beside:
            beside.write_text(json.dumps(result, indent=1), encoding='utf-8')
    return written


def _is_steady(times: np.ndarray, fps: float) -> bool:
    return bool(np.all(np.abs(times - times[0] - np.arange(len(times)) / fps) <= STEADY))
