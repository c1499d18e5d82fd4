"""What an editor, a web page or another program takes: cut-outs with alpha, mattes, full-size overlays, COCO JSON.

Called by the inferencer, its command and the page. Frames come once, one at a time, and all kinds are written side by
side.
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

STEADY = 1.5e-3  # seconds by which frames of a constant rate may be off: some containers count milliseconds
DEFAULT_FPS = 24.0  # of videos, where the source does not know
EDITORS = 'DaVinci Resolve, Premiere, Final Cut, After Effects'


@dataclass(frozen=True)
class Export:
    """A kind of file to take away.

    Attributes:
        file_name: of the file, or of the folder where the kind has many files.
        description: what it is, for people.
        suits: the programs that it is for.
        opened: its writer.
    """
    file_name: str
    description: str
    suits: str
    opened: Opened = field(repr=False)


EXPORTS: dict[str, Export] = {
    'cutout-png': Export('cutout', 'objects cut out, with alpha: a PNG file a frame',
                         'Blender, Nuke, Photoshop, GIMP, every editor as an image sequence', cutout_pictures),
    'prores': Export('cutout.mov', 'objects cut out, with alpha (ProRes 4444)', EDITORS,
                     video_of(cutout, PRORES_4444)),
    'cutout-webm': Export('cutout.webm', 'objects cut out, with alpha (VP9)', 'web pages (Chrome, Firefox), OBS',
                          video_of(cutout, WEBM_ALPHA)),
    'matte': Export('matte.mp4', 'objects white on black (H.264)', f'{EDITORS}, as a track matte beside the video',
                    video_of(matte, MATTE_MP4)),
    'object-mattes': Export('mattes', 'the same for each object: a video an object (H.264)',
                            f'{EDITORS}, where objects are treated apart', object_mattes),
    'overlay-mp4': Export('overlay_full.mp4', 'objects tinted, full size (H.264)', 'every player, slides, messengers',
                          overlay_video(MP4)),
    'overlay-webm': Export('overlay_full.webm', 'objects tinted, full size (VP9)', 'web pages, Wikimedia Commons',
                           overlay_video(WEBM)),
    'coco': Export('coco.json', 'masks as RLE, boxes, areas and tracks (COCO JSON)',
                   'CVAT, FiftyOne, Detectron2, MMDetection', coco_json),
}


def export_kinds(names: str | Iterable[str]) -> list[str]:
    """Kinds that a person asks for: names, lists of them with commas, or ``all``.

    Returns:
        Keys of :data:`EXPORTS`, each once, in its order.

    Raises:
        ValueError: a name that is none of them.
        ImportError: COCO JSON without pycocotools.
    """
    asked = {name.strip() for text in ([names] if isinstance(names, str) else names) for name in text.split(',')}
    unknown = asked - {*EXPORTS, 'all', ''}
    if unknown:
        raise ValueError(f'no export is called {", ".join(sorted(unknown))}; there are {", ".join(EXPORTS)}, and all')
    if asked & {'coco', 'all'}:
        require_pycocotools()
    return [kind for kind in EXPORTS if kind in asked or 'all' in asked]


def export_masks(kinds: Iterable[str], frames: Iterable[tuple], folder: str | Path, *, size: Sequence[int],
                 times: Sequence[float] | None, fps: float, object_names: Mapping[int, str] | None = None,
                 num_frames: int | None = None, suffix: str = '.png', on_progress: OnProgress = silent
                 ) -> dict[str, Path]:
    """Write kinds of files from frames and their masks. Each appears whole or not at all.

    A cut-out has all objects; its alpha is 255 where the mask is, else 0, and straight. Frames keep their times where
    these are not those of a constant rate; the first is shown at 0.

    Args:
        kinds: keys of :data:`EXPORTS`.
        frames: tuples of frame id, file name without suffix, (H, W, 3) uint8 RGB image and (H, W) uint8 object ids.
        folder: where they go; what is there of these kinds is replaced.
        size: (H, W).
        times: seconds at which each frame of the source is shown, by frame id; ``None``: a constant rate.
        fps: frames a second of a constant rate.
        object_names: object id -> name, '' without one, of all objects.
        num_frames: how many there are, for ``on_progress``.
        suffix: of the frames where they are files, for the COCO JSON.
        on_progress: told ``'exporting'``, frames done and frames in all.

    Returns:
        Kind -> its file or folder.

    Raises:
        ValueError: an unknown kind, no frame, a frame or mask of another size, times that do not ascend.
        OSError: what cannot be written, or a codec that this PyAV lacks.
        ImportError: COCO JSON without pycocotools.
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
    """Refuse a source whose frames come but once.

    Raises:
        ValueError: if it is one.
    """
    if not source.rewindable:
        raise ValueError(f'exports read the frames a second time, which {source.name} does not offer: leave them out, '
                         'or save the frames to a file first')


def export_result(kinds: Iterable[str], source: FrameSource, out: OutputFolder, *, fps: float,
                  object_names: Mapping[int, str] | None = None, on_progress: OnProgress = silent) -> dict[str, Path]:
    """Write kinds of files from a source and its masks in a folder, to ``exports`` in there.

    Args:
        kinds: keys of :data:`EXPORTS`.
        source: the frames; read from their beginning.
        out: with the mask of each.
        fps: where the source does not tell.
        object_names, on_progress: see :func:`export_masks`.

    Raises:
        FileNotFoundError: a frame without a mask.
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
    """Write kinds of files from what an earlier call found, without a network; ``result.json`` notes them.

    Frames are read as that call read them.

    Args:
        kinds: keys of :data:`EXPORTS`.
        video: of the earlier call, see ``open_source``.
        out_dir: its folder; default: as in the call.
        fps: frames a second; default: those of the call.
        on_progress: see :func:`export_masks`.

    Returns:
        Kind -> its file or folder.

    Raises:
        FileNotFoundError: no finished result there.
        ValueError: frames that are not those of the result.
        OSError, ImportError: see :func:`export_masks`.
    """
    kinds, out = export_kinds(kinds), OutputFolder(out_dir or default_folder(video))
    if not out.result.is_file():
        raise FileNotFoundError(f'there is no finished result in {out.root} to take away: give a --mask or a --box to '
                                'make one, or name its folder by --out')
    with out.held():
        result = json.loads(out.result.read_text(encoding='utf-8'))
        settings = result['settings']
        files = SessionFiles(out)
        session = files.load() if files.exists else None
        reading = dict(session.reading) if session else {}
        reading['fps'] = fps or reading.get('fps')
        with open_source(video, start=settings['start'], end=settings['end'], **reading) as source:
            if not fps and settings['fps'] != source.fps:  # of arrays: the call was told a rate
                source.fps, source.times = settings['fps'], None
            require_second_reading(source)
            size, found = list(source.frame(source.start).image.shape[:2]), len(result['records'])
            if size != settings['frame_size'] or source.num_frames < found:  # damaged ones tell more than they have
                raise ValueError(f'{out.root} is the result of {settings["video"]}: {found} frames of (height, width) '
                                 f'{settings["frame_size"]}; {source.name} has {source.num_frames} of {size}')
            names = session.objects if session else dict.fromkeys(settings['objects'], '')
            written = export_result(kinds, source, out, fps=DEFAULT_FPS, object_names=names, on_progress=on_progress)
        result['exports'] = {**result.get('exports', {}), **{kind: str(path) for kind, path in written.items()}}
        with written_beside(out.result) as beside:
            beside.write_text(json.dumps(result, indent=1), encoding='utf-8')
    return written


def _is_steady(times: np.ndarray, fps: float) -> bool:
    return bool(np.all(np.abs(times - times[0] - np.arange(len(times)) / fps) <= STEADY))
