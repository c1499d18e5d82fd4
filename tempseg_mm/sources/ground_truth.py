"""Ground truth of a video: finds the mask to score each frame against, by name or number of the frame."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from tempseg_mm.runtime.notices import Notices

from .frame_files import images_in
from .frame_names import FrameNames, last_digits, without_mask_word
from .frame_source import SourceFrame
from .mask_files import Labels, MaskReader
from .unreadable import nearest_file, read_as


class GroundTruth:
    """Masks to score a video against.

    Args:
        masks: a folder with files that have the names of frames (not every frame needs one); a list of files or arrays,
            the first for the first frame; or ``{frame number: file or array}``.
            :mod:`~tempseg_mm.sources.mask_regions` says what values mean.
        names: names of the frames; default: ``'00000'``, ``'00001'``, ....
        notices: receives each match that is not obvious.

    Attributes:
        reader: reader of the masks. Set it to a companion of the reader of the given masks to make a colour mean the
            same object in both.

    Raises:
        FileNotFoundError: if there is no such folder, or no mask in it.
        ValueError: if no mask belongs to a frame, or two masks belong to one frame.
    """

    def __init__(self, masks: str | os.PathLike | Sequence | Mapping, *, names: FrameNames | None = None,
                 notices: Notices | None = None) -> None:
        self._names, self._notices = names or FrameNames(), Notices() if notices is None else notices
        if isinstance(masks, Mapping):
            self._masks = dict(masks)
        elif isinstance(masks, (str, os.PathLike)):
            self._masks = self._of_folder(Path(masks))
        else:
            self._masks = dict(enumerate(masks, self._names.start))
            self._tell_counts('the list of ground truth', list(map(str, range(len(self._masks)))), self._masks)
        self.reader = MaskReader(self._notices)

    def labels(self, frame: SourceFrame) -> Labels | None:
        """Return object ids and void pixels of a frame; ``None`` if the frame has no ground truth.

        Raises:
            OSError: if the file cannot be read.
            ValueError: if the mask differs in size from the frame, or its values make no sense.
        """
        mask = self._masks.get(frame.frame_id)
        if mask is None:
            return None
        with read_as('ground truth'):
            labels = self.reader.read(mask)
        if labels.ids.shape != frame.image.shape[:2]:
            raise ValueError(f'the ground truth of frame {frame.file_name} has the size {labels.ids.shape}, the frame '
                             f'{frame.image.shape[:2]}; they must agree')
        return labels

    def _of_folder(self, folder: Path) -> dict:
        files = images_in(folder) if folder.is_dir() else []
        if not files:
            raise FileNotFoundError(f'the ground truth must be a folder of masks, but there is no mask in '
                                    f'{folder}{_instead(folder)}')
        names, found = self._names, {}
        for file in files:
            i = names.meant(Path(file).stem)
            if i in found:
                raise ValueError(f'the ground truths {file} and {found[i]} are for the same frame, {names.name(i)}: '
                                 'remove one of them')
            if i is not None:
                found[i] = file
        within = {i: file for i, file in found.items() if names.is_within(i)}
        if names.num_frames == len(files) != len(within) and (not within or _is_shifted(files)):
            self._notices.add(f'the {len(files)} masks in {folder} were matched to the {len(files)} frames by their '
                              f'order, because their names differ: {Path(files[0]).name} to {names.name(names.start)}, '
                              f'..., {Path(files[-1]).name} to {names.name(names.start + len(files) - 1)}; to change '
                              'that, name them like the frames')
            return dict(enumerate(files, names.start))
        if not within:
            raise ValueError(f'none of the {len(files)} masks in {folder} ({Path(files[0]).name}, ...) has the name of '
                             f'a frame ({names.name(names.start)}, ...): name them like the frames')
        self._tell_counts(folder, [Path(file).name for file in files if file not in found.values()], within)
        return within

    def _tell_counts(self, what: object, others: list, found: dict) -> None:
        """Add a notice if some frames have no mask, or some masks belong to no frame."""
        count = self._names.num_frames
        if isinstance(what, str):
            others = others[count:] if count else []
        scored = len([i for i in found if self._names.is_within(i)])
        few = count is not None and scored < count
        text = f'{what} has masks for {scored} of {count} frames; the other frames are not scored' if few else ''
        if others:
            names = ', '.join(others[:3]) + (', ...' if len(others) > 3 else '')
            text = f'{text or f"{what} has more masks than frames"}; {len(others)} belong to no frame ({names})'
        if text:
            self._notices.add(text)


def _is_shifted(files: Sequence) -> bool:
    """Return True if files are numbered without a gap, for example from 1 while frames are numbered from 0."""
    digits = [last_digits(without_mask_word(Path(file).stem)) for file in files]
    return all(digits) and [int(number) - int(digits[0]) for number in digits] == list(range(len(files)))


def _instead(folder: Path) -> str:
    if not folder.exists():
        return f', which does not exist{nearest_file(folder)}'
    if folder.is_file():
        return ', which is a file'
    inner = sorted(path for path in folder.iterdir() if path.is_dir() and images_in(path))
    return f'; {inner[0]} holds some' if inner else ''
