"""Masks to score a video against, found by number or name of the frame."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from .frame_source import SourceFrame
from .image_files import IMAGE_SUFFIXES
from .mask_files import Labels, MaskReader


class GroundTruth:
    """Masks to score against.

    Args:
        masks: a folder whose files have the names of the frames, not all of which need one; a list of files or arrays,
            the first for the first frame; or ``{frame number: file or array}``. What values mean:
            :mod:`~tempseg_mm.sources.mask_regions`.
        start: number of the first frame.

    Attributes:
        reader: of the masks; a companion of the reader of given masks lets a colour be one object in both.

    Raises:
        FileNotFoundError: if there is no such folder, or no mask in it.
    """

    def __init__(self, masks: str | os.PathLike | Sequence | Mapping, *, start: int = 0) -> None:
        if isinstance(masks, Mapping):
            self._masks = dict(masks)
        elif isinstance(masks, (str, os.PathLike)):
            folder = Path(masks)
            found = folder.iterdir() if folder.is_dir() else ()
            files = [path for path in found if path.suffix.lower() in IMAGE_SUFFIXES]
            if not files:
                raise FileNotFoundError(f'the ground truth is a folder with a mask for each frame; there is none in '
                                        f'{folder}')
            self._masks = {path.stem: path for path in files}
        else:
            self._masks = dict(enumerate(masks, start))
        self.reader = MaskReader()

    def labels(self, frame: SourceFrame) -> Labels | None:
        """Object ids and void pixels of a frame; ``None`` where there are none.

        Raises:
            OSError: if the file cannot be read.
            ValueError: if the mask is of another size than the frame.
        """
        mask = self._masks.get(frame.frame_id, self._masks.get(frame.file_name))
        if mask is None:
            return None
        labels = self.reader.read(mask)
        if labels.ids.shape != frame.image.shape[:2]:
            raise ValueError(f'the ground truth of frame {frame.file_name} is {labels.ids.shape}, the frame '
                             f'{frame.image.shape[:2]}; they must agree')
        return labels
