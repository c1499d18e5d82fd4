"""Finds the videos to segment and their given masks: from the lines of a list, or from masks beside the videos."""

import argparse
import os
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tempseg_mm.runtime.safe_path import plain_name
from tempseg_mm.sources.frame_files import IMAGE_SUFFIXES
from tempseg_mm.sources.frame_names import without_mask_word
from tempseg_mm.sources.given_frames import mask_paths
from tempseg_mm.sources.unreadable import nearest_file

from .output import default_folder

LINE = 'a line has VIDEO and, if needed, --mask FILE[@FRAME], --box X,Y,W,H[@FRAME], --start, --end, --gt, --out'


@dataclass(frozen=True)
class Shot:
    """A video and what is given for it; each attribute is an argument of ``VOSInferencer``.

    Attributes:
        video: file, folder, pattern or number of a camera.
        masks: ``'FILE'`` or ``'FILE@FRAME'``.
        boxes: ``'X,Y,W,H'`` or ``'X,Y,W,H@FRAME'``.
        start: first frame.
        end: frame to stop before; ``None`` for all.
        ground_truth: folder of masks to score against.
        name: name of its result folder; ``''``: chosen by :func:`named_shots`.
    """
    video: str
    masks: tuple = ()
    boxes: tuple = ()
    start: int = 0
    end: int | None = None
    ground_truth: str | None = None
    name: str = ''

    @property
    def given(self) -> str:
        """The given masks and boxes, in words."""
        parts = [f'mask {mask}' for mask in self.masks] + [f'box {box}' for box in self.boxes]
        return ', '.join(parts)


def read_shots(path: str | os.PathLike) -> list[Shot]:
    """Read the shots of a list: each line has a video and its arguments, written as for the command.

    ::

        # empty lines and lines that begin with # are skipped; names with spaces need quotes
        dog.mp4 --mask dog_first.png --mask dog_later.png@40
        "two cats.mp4" --box 120,40,200,160 --out cats
        bird.mp4

    Paths are relative to the working folder.

    Args:
        path: path of the list.

    Raises:
        OSError: if it cannot be read.
        ValueError: if a line is wrong; the message names the line and the fault. Also if the list names no video.
    """
    shots = []
    for number, line in enumerate(Path(path).read_text(encoding='utf-8-sig').splitlines(), 1):
        if not line.strip() or line.lstrip().startswith('#'):
            continue
        try:
            shots.append(_shot_of(shlex.split(line)))
        except ValueError as error:
            raise ValueError(f'{path}, line {number}: {error}; {LINE}') from error
    if not shots:
        raise ValueError(f'{path} lists no video; {LINE}')
    return shots


def masks_beside(video: str, *, start: int = 0) -> tuple[str, ...]:
    """Find masks that lie beside a video and have its name: for ``dog.mp4`` or a folder ``dog``, these are ``dog.png``
    or ``dog_mask.png`` for frame ``start``, and ``dog@40.png`` for frame 40.

    Args:
        video: a file or a folder; anything else has no masks beside it.
        start: first frame that is segmented.

    Returns:
        ``'FILE@FRAME'`` for each mask.
    """
    path = Path(video)
    if not path.exists():
        return ()
    path = path.resolve() if path.is_dir() else path
    own, found = path.name if path.is_dir() else path.stem, []
    for file in sorted(path.parent.iterdir()):
        name, _, frame = file.stem.partition('@')
        is_called_so = own in (name, without_mask_word(name)) and file.suffix.lower() in IMAGE_SUFFIXES
        if is_called_so and file != path and file.is_file():
            found.append(f'{file}@{frame or start}')
    return tuple(found)


def with_masks(shot: Shot) -> Shot:
    """Return the shot; if nothing is given for it, add the masks that lie beside its video.

    Raises:
        FileNotFoundError: if the video or a named mask is missing.
        ValueError: if the shot has no mask and no box.
    """
    named = [*mask_paths(shot.masks), *([] if _is_pattern_or_camera(shot.video) else [shot.video])]
    for path in named:
        if not os.path.exists(path):
            raise FileNotFoundError(f'there is no file {path!r}{nearest_file(path)}')
    if shot.masks or shot.boxes:
        return shot
    masks = masks_beside(shot.video, start=shot.start)
    if not masks:
        stem = Path(shot.video).stem
        raise ValueError(f'{shot.video} has no object to follow: give a --mask FILE or a --box X,Y,W,H, or save its '
                         f'mask beside it as {stem}.png or {stem}_mask.png')
    return replace(shot, masks=masks)


def named_shots(shots: Sequence[Shot]) -> list[Shot]:
    """Give each shot its own folder name: its own name, else the name of its video, with digits if several videos share
    it.

    Raises:
        ValueError: if a name is not a plain folder name, or two shots have the same.
    """
    stems = [shot.name or Path(shot.video).stem or 'video' for shot in shots]
    often = Counter(map(str.casefold, stems))
    named = [replace(shot, name=plain_name(
        stem if shot.name or (often[stem.casefold()] == 1 and Path(shot.video).exists()) else
        default_folder(shot.video).name, what='--out of a line'))
        for shot, stem in zip(shots, stems, strict=True)]
    for name, count in Counter(shot.name.casefold() for shot in named).items():
        if count > 1:
            videos = ' and '.join(shot.video for shot in named if shot.name.casefold() == name)
            raise ValueError(f'the results of {videos} would go to the same folder, {name}: give each video its own '
                             'name in a --list (VIDEO --out NAME)')
    return named


def _is_pattern_or_camera(video: str) -> bool:
    return not os.path.exists(video) and (video.isdecimal() or bool(set(video) & set('*?[')))


class _LineParser(argparse.ArgumentParser):
    def error(self, message: str) -> None:
        raise ValueError(message)


def _shot_of(words: Sequence[str]) -> Shot:
    parser = _LineParser(add_help=False, allow_abbrev=False)
    parser.add_argument('video', metavar='VIDEO')
    parser.add_argument('--mask', action='append', default=[])
    parser.add_argument('--box', action='append', default=[])
    parser.add_argument('--start', type=int, default=0)
    parser.add_argument('--end', type=int)
    parser.add_argument('--gt')
    parser.add_argument('--out', default='')
    args = parser.parse_args(words)
    return Shot(args.video, tuple(args.mask), tuple(args.box), args.start, args.end, args.gt, args.out)
