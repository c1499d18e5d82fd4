"""Videos with what is given for each: from the lines of a list, or from masks that lie beside them."""

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

LINE = 'a line holds VIDEO and, where needed, --mask FILE[@FRAME], --box X,Y,W,H[@FRAME], --start, --end, --gt, --out'


@dataclass(frozen=True)
class Shot:
    """A video and what is given for it; the arguments of ``VOSInferencer`` of these names.

    Attributes:
        video: file, folder, pattern or number of a camera.
        masks: ``'FILE'`` or ``'FILE@FRAME'``.
        boxes: ``'X,Y,W,H'`` or ``'X,Y,W,H@FRAME'``.
        start: first frame.
        end: the frame to stop before; ``None``: all.
        ground_truth: folder of masks to score against.
        name: of the folder of its results; ``''``: see :func:`named_shots`.
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
        """What is given, in words."""
        parts = [f'mask {mask}' for mask in self.masks] + [f'box {box}' for box in self.boxes]
        return ', '.join(parts)


def read_shots(path: str | os.PathLike) -> list[Shot]:
    """The shots of a list: text with a video and its arguments in each line, written as for the command.

    ::

        # lines that begin so, and empty ones, are passed over; names with blanks stand in quotes
        dog.mp4 --mask dog_first.png --mask dog_later.png@40
        "two cats.mp4" --box 120,40,200,160 --out cats
        bird.mp4

    Paths are as seen from the working folder.

    Args:
        path: of the list.

    Raises:
        OSError: if it cannot be read.
        ValueError: naming the line and what is wrong in it; for a list without lines.
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
    """Masks that lie beside a video and are called as it is: ``dog.png`` or ``dog_mask.png`` beside ``dog.mp4`` or the
    folder ``dog``, for frame ``start``, and ``dog@40.png`` for frame 40.

    Args:
        video: a file or a folder; beside anything else lies nothing.
        start: first frame that is segmented.

    Returns:
        ``'FILE@FRAME'`` of each.
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
    """The shot with masks from beside its video, if nothing is given for it.

    Raises:
        FileNotFoundError: if the video or a mask that is named is missing.
        ValueError: if nothing is given and no mask lies beside it.
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
        raise ValueError(f'what is to be followed in {shot.video}? Give a --mask FILE or a --box X,Y,W,H, or lay its '
                         f'mask beside it as {stem}.png or {stem}_mask.png')
    return replace(shot, masks=masks)


def named_shots(shots: Sequence[Shot]) -> list[Shot]:
    """Each with a folder name of its own: the one it has, else that of its video; where several videos are called the
    same, with the digits of its place.

    Raises:
        ValueError: for a name that is no plain one, or that two have.
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
            raise ValueError(f'the results of {videos} would lie in one folder, {name}: give each a line with a name '
                             'of its own in a --list (VIDEO --out NAME)')
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
