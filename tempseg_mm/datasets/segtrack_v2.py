"""SegTrack-v2 (Li et al., ICCV 2013): 14 sequences with 24 annotated objects; each object becomes one test sequence."""

import os
import re
from collections.abc import Iterable

from tempseg_mm.registry import DATASETS
from tempseg_mm.runtime.safe_path import plain_name

from .name_list import read_lines
from .sequence_files import files_by_stem, folders_in
from .splits import Split, require_known
from .vos_dataset import VOSDataset
from .vos_sequence import MERGED, VOSSequence

SUFFIXES = ('.png', '.bmp', '.jpg', '.jpeg')
OBJECTS = dict(
    bird_of_paradise=1, birdfall=1, bmx=2, cheetah=2, drift=2, frog=1, girl=1, hummingbird=2, monkey=1, monkeydog=2,
    parachute=1, penguin=6, soldier=1, worm=1)


@DATASETS.register_module()
class SegTrackV2Dataset(VOSDataset):
    """The unpacked archive::

        data_root/
        ├── JPEGImages/<folder>/*.png, *.bmp or *.jpg
        ├── GroundTruth/<folder>/*.png ...                one object: masks with the stems of the frames
        ├── GroundTruth/<folder>/1/, 2/, ...              several objects: one folder per object
        └── ImageSets/all.txt                             optional; one folder per line, with or without a leading ``*``

    A folder with one object becomes a sequence of the same name. A folder with several objects becomes several
    sequences: ``bmx`` gives ``bmx-1`` and ``bmx-2``. Other characters than letters, digits, ``.``, ``_`` and ``-`` are
    replaced by ``_``, so that results can be stored under the name. Frames and masks may have different suffixes
    (penguin, monkeydog and cheetah mix BMP and PNG), but their stems must be equal. Every frame needs its mask.

    Paper note: every instance is an object of its own, fine-tuned on and scored alone (paper note P21). Masks are
    anti-aliased and stored with three channels: values above 127 are the object.

    Args:
        data_root: the folder drawn above.
        split: ``'all'``, another list in ``ImageSets``, the path of a list, or names of folders or sequences.
        kwargs: the arguments of :class:`~tempseg_mm.datasets.vos_dataset.VOSDataset` except ``resolution``.

    Raises:
        FileNotFoundError: if the root or a folder is missing.
        ValueError: for an unknown split, two sequences of one name, or frames and masks that do not match.
    """

    METAINFO = dict(dataset_name='SegTrack-v2')
    SOURCE = ('Get SegTrackv2.zip from https://web.engr.oregonstate.edu/~lif/SegTrack2/dataset.html and name the '
              'folder that holds its JPEGImages: set `data_root`, or TEMPSEG_SEGTRACK_ROOT in the environment.')
    THRESHOLD = 127
    OBJECTS = MERGED

    def __init__(self, data_root: str, split: Split = 'all', **kwargs) -> None:
        self._places: dict = {}  # sequence -> (folder, subfolder of its object or '')
        super().__init__(data_root, split, resolution='', **kwargs)

    def splits(self) -> list:
        """Return ``'all'`` and the lists in ``ImageSets``, except lists of the frames of one sequence."""
        self._folder('GroundTruth')
        folder = self._path('ImageSets')
        lists = files_by_stem(folder, ('.txt',)) if os.path.isdir(folder) else {}
        return sorted({'all', *lists} - set(folders_in(self._folder('JPEGImages'))))

    def listed(self, path: str) -> list:
        entries = [line.lstrip('*').strip('/') for line in read_lines(path)]
        return [plain_name(entry, what=f'in the list {path}: folder') for entry in dict.fromkeys(entries)]

    def own_split(self, name: str) -> list:
        """Return all objects of all folders of a list, in its order."""
        path = self._path('ImageSets', f'{name}.txt')
        return self._find(self.listed(path)) if os.path.isfile(path) else self.names_on_disk()

    def named(self, names: list) -> list:
        folders, sequences = folders_in(self._folder('JPEGImages')), self.names_on_disk()
        require_known(names, [*folders, *sequences], self.split, self.LISTS, self.data_root)
        found = (self._find([name]) if name in folders else [name] for name in names)
        return list(dict.fromkeys(sequence for some in found for sequence in some))

    def names_on_disk(self) -> list:
        return self._find(folders_in(self._folder('JPEGImages')))

    def missing_parts(self) -> list:
        there = set(folders_in(self._folder('JPEGImages')))
        missing = [f'sequence {folder!r} of the release is missing' for folder in OBJECTS if folder not in there]
        for folder in sorted(there & set(OBJECTS)):
            found = len(self._objects(folder))
            if found < OBJECTS[folder]:
                missing.append(f'{folder} has {found} object(s), but the release has {OBJECTS[folder]}')
        return missing

    def frame_files(self, name: str) -> dict:
        folder, _ = self._places[name]
        return files_by_stem(self._folder('JPEGImages', folder), SUFFIXES)

    def mask_files(self, name: str) -> dict:
        folder, instance = self._places[name]
        return files_by_stem(os.path.join(self._folder('GroundTruth', folder), instance), SUFFIXES)

    def sequence(self, name: str) -> VOSSequence:
        frames, masks = self.frame_files(name), self.mask_files(name)
        if frames.keys() != masks.keys():
            bare = [stem for stem in frames if stem not in masks]
            orphans = [stem for stem in masks if stem not in frames]
            raise ValueError(f'sequence {name!r} has {len(frames)} frames and {len(masks)} masks that do not match: '
                             f'{_some(bare, "frames without mask")}{_some(orphans, "masks without frame")}their stems '
                             'must be equal; unpack the sequence again, or leave it out')
        return super().sequence(name)

    def _find(self, folders: Iterable[str]) -> list:
        """Return the names of the sequences in these folders and remember where their files are."""
        names = []
        for folder in folders:
            for instance in self._objects(folder) or ['']:
                name = re.sub(r'[^\w.-]+', '_', f'{folder}-{instance}' if instance else folder, flags=re.ASCII)
                if self._places.setdefault(name, (folder, instance)) != (folder, instance):
                    raise ValueError(f'{"/".join(self._places[name])} and {folder}/{instance} in {self.data_root} '
                                     f'would both be sequence {name!r}; rename one of the folders')
                names.append(name)
        return names

    def _objects(self, folder: str) -> list:
        """Return the folders of the objects; ``['']`` if masks lie in the folder itself, ``[]`` if it is missing."""
        path = self._path('GroundTruth', folder)
        return (folders_in(path) or ['']) if os.path.isdir(path) else []

    def _expected(self) -> str:
        return (f'{type(self).__name__} expects JPEGImages/<sequence>/*.png (or bmp, jpg) and GroundTruth/<sequence>/'
                f'[<object>/]*.png (or bmp, jpg) in `data_root`. {self.SOURCE}')


def _some(stems: list, what: str) -> str:
    return f'{len(stems)} {what} ({", ".join(stems[:3])}{", ..." if len(stems) > 3 else ""}); ' if stems else ''
