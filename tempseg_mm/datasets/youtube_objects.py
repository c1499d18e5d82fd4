"""YouTube-Objects (Prest et al., CVPR 2012) with the masks of Jain and Grauman (ECCV 2014): ten classes, 126 shots."""

import os
import re
from pathlib import Path

from tempseg_mm.registry import DATASETS
from tempseg_mm.runtime.safe_path import natural_key
from tempseg_mm.sources.image_io import image_size
from tempseg_mm.sources.stored_mask import decode_mask

from .known_trees import YOUTUBE_OBJECTS, advice
from .sequence_files import FRAME_SUFFIXES, folders_in
from .splits import Split
from .vos_dataset import VOSDataset
from .vos_sequence import MERGED, VOSSequence

MASK_SUFFIXES = ('.png', '.jpg', '.jpeg')


@DATASETS.register_module()
class YouTubeObjectsDataset(VOSDataset):
    """Frames and masks of the two releases, unpacked into one folder::

        data_root/<class>/data/<video>/shots/<shot>/frame0001.jpg, frame0002.jpg, ...     or in images/ below the shot
        data_root/<class>/data/<video>/shots/<shot>/labels/00001.jpg, 00011.jpg, ...      or .png

    or the tree into which research repositories repack the same files::

        data_root/JPEGImages/<class>_<number>/00000.jpg, 00001.jpg, ...
        data_root/Annotations/<class>_<number>/00000.png, 00010.png, ...

    In the first tree a sequence is a shot with a folder ``labels``, for example ``aeroplane-0001-001``. In the second
    tree it is a folder of ``Annotations``, for example ``aeroplane_001``. A frame and a mask belong together if the
    last numbers in their names are equal. A sequence begins with the first annotated frame that shows the object,
    because there is no mask to begin with earlier. It ends with the last annotated frame, because nothing can be scored
    later.

    Paper note: about every tenth frame is annotated, only those are scored, and those without the object count too
    (paper note P21). Masks are JPEG files and therefore noisy: values above 127 are the object. If frames are larger
    than masks, they are resized to the size of the masks.

    Args:
        data_root: root folder of one of the trees drawn above.
        split: ``'all'``, one of the classes, the path of a list, or names of sequences.
        kwargs: the arguments of :class:`~tempseg_mm.datasets.vos_dataset.VOSDataset` except ``resolution``.

    Raises:
        FileNotFoundError: if the root is missing or holds no sequence.
        ValueError: for an unknown split, a mask without its frame, two frames or two masks of one number, or a sequence
            whose masks show no object. Also in training, because training needs a mask for every frame.
    """

    METAINFO = dict(dataset_name='YouTube-Objects')
    SOURCE = ('Get the frames from https://data.vision.ee.ethz.ch/cvl/youtube-objects/ and the masks from '
              'https://vision.cs.utexas.edu/projects/videoseg/data_download_register.html; docs/data.md says how to '
              'lay them out. Name their folder: set `data_root`, or TEMPSEG_YOUTUBE_OBJECTS_ROOT in the environment.')
    SPARSE = True
    LATE_START = True
    MASKS_SET_SIZE = True
    THRESHOLD = 127
    OBJECTS = MERGED

    def __init__(self, data_root: str, split: Split = 'all', **kwargs) -> None:
        super().__init__(data_root, split, resolution='', **kwargs)

    def splits(self) -> list:
        """Return ``'all'`` and the classes that have a sequence."""
        return ['all', *sorted(set(map(_class_of, self.names_on_disk())))]

    def own_split(self, name: str) -> list:
        """Return the names of the sequences of a class, or of all classes, in natural order."""
        return [sequence for sequence in self.names_on_disk() if name in ('all', _class_of(sequence))]

    def names_on_disk(self) -> list:
        if self._is_repacked():
            names = [name for name in folders_in(os.path.join(self.data_root, 'Annotations'))
                     if _class_of(name) in YOUTUBE_OBJECTS]
        else:
            shots = (path.parent for path in Path(self.data_root).glob('*/data/*/shots/*/labels') if path.is_dir())
            names = [f'{shot.parts[-5]}-{shot.parts[-3]}-{shot.name}' for shot in shots]
        if not names:
            raise FileNotFoundError(f'{self.data_root} holds no sequence.{advice(self) or " " + self._expected()}')
        return sorted(names, key=natural_key)

    def missing_parts(self) -> list:
        there = set(map(_class_of, self.names_on_disk()))
        return [f'class {name!r} of the release has no annotated shot' for name in YOUTUBE_OBJECTS if name not in there]

    def frame_files(self, name: str) -> dict:
        if self._is_repacked():
            return _by_number(self._folder('JPEGImages', name), FRAME_SUFFIXES)
        shot = self._shot(name)
        return _by_number(shot, FRAME_SUFFIXES) or _by_number(os.path.join(shot, 'images'), FRAME_SUFFIXES)

    def mask_files(self, name: str) -> dict:
        folder = self._folder('Annotations', name) if self._is_repacked() else os.path.join(self._shot(name), 'labels')
        return _by_number(folder, MASK_SUFFIXES)

    def sequence(self, name: str) -> VOSSequence:
        """Return the part of the shot that is segmented. Masks are decoded up to the first that shows the object."""
        frames, masks = self.frame_files(name), self.mask_files(name)
        bare = [path for number, path in masks.items() if number not in frames]
        if bare:
            raise ValueError(f'sequence {name!r} has {len(bare)} mask(s) without frame, e.g. {bare[0]}: a frame of '
                             f'that number must lie beside the others. {self._expected()}')
        seen = (number for number, path in masks.items() if decode_mask(path).above(self.THRESHOLD).any())
        start = next(seen, None)
        if start is None:
            raise ValueError(f'sequence {name!r} has {len(masks)} masks, none of which shows the object: nothing to '
                             'begin with. Leave it out with `sequences`')
        numbers = [number for number in frames if start <= number <= max(masks)]
        return VOSSequence(
            name, tuple(frames[number] for number in numbers), tuple(masks.get(number) for number in numbers),
            threshold=self.THRESHOLD, annotation_size=_annotation_size(name, frames[start], masks[start]))

    def _shot(self, name: str) -> str:
        label, video, shot = name.split('-', 2)
        return os.path.join(self.data_root, label, 'data', video, 'shots', shot)

    def _is_repacked(self) -> bool:
        return os.path.isdir(os.path.join(self.data_root, 'Annotations')) and not any(
            os.path.isdir(os.path.join(self.data_root, name, 'data')) for name in YOUTUBE_OBJECTS)

    def _expected(self) -> str:
        return (f'{type(self).__name__} expects <class>/data/<video>/shots/<shot>/frame0001.jpg, ... and '
                f'labels/00001.jpg, ... beside them in `data_root`, or JPEGImages/<class>_<number>/*.jpg and '
                f'Annotations/<class>_<number>/*.png. {self.SOURCE}')


def _class_of(name: str) -> str:
    """Return the letters at the beginning of a sequence's name."""
    return re.match('[A-Za-z]*', name)[0]


def _by_number(folder: str, suffixes: tuple) -> dict:
    """Return last number in the name -> path of the images in ``folder``; empty if the folder is missing."""
    if not os.path.isdir(folder):
        return {}
    found: dict = {}
    for name in os.listdir(folder):
        number = re.search(r'(\d+)\D*$', os.path.splitext(name)[0])
        if number is None or name.startswith('.') or not name.lower().endswith(suffixes):
            continue
        path, key = os.path.join(folder, name), int(number.group(1))
        if key in found:
            raise ValueError(f'{found[key]} and {path} have one number, {key}, but only one of them can be read; '
                             'remove the other')
        found[key] = path
    return dict(sorted(found.items()))


def _annotation_size(name: str, frame_path: str, mask_path: str) -> tuple | None:
    """Return (H, W) of the masks if it differs from the size of the frames, else ``None``."""
    frame, mask = image_size(frame_path), image_size(mask_path)
    if frame == mask:
        return None
    if abs(frame[0] * mask[1] - frame[1] * mask[0]) > max(*frame, *mask):  # more than a rounded side
        raise ValueError(f'sequence {name!r}: the proportions of {mask_path} ({mask[0]}x{mask[1]}) are not those of '
                         f'its frame {frame_path} ({frame[0]}x{frame[1]}, height x width); take both from one release')
    return mask
