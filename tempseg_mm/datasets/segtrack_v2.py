"""SegTrack-v2 (Li et al., ICCV 2013): 14 sequences with 24 annotated objects; each object is a test sequence."""

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
    """The archive as unpacked::

        data_root/
        ├── JPEGImages/<folder>/*.png, *.bmp or *.jpg
        ├── GroundTruth/<folder>/*.png ...                one object: masks with the stems of the frames
        ├── GroundTruth/<folder>/1/, 2/, ...              several: one folder an object
        └── ImageSets/all.txt                             optional; one folder a line, with or without a ``*`` before it

    A folder with one object is a sequence of its name; of several, ``bmx`` gives the sequences ``bmx-1`` and ``bmx-2``.
    Names hold only letters, digits, ``.``, ``_`` and ``-``, so that results can be filed under them. Suffixes of
    frames and masks may differ (penguin, monkeydog and cheetah mix BMP and PNG); stems may not. Every frame needs its
    mask.

    Paper note: every instance is an object of its own, fine-tuned on and scored alone (paper note P21). Masks are
    anti-aliased and stored with three channels: object is what is above 127.

    Args:
        data_root: the folder drawn above.
        split: ``'all'``, another list in ``ImageSets``, the path of one, or names; of folders or of sequences.
        kwargs: the arguments of :class:`~tempseg_mm.datasets.vos_dataset.VOSDataset` other than ``resolution``.

    Raises:
        FileNotFoundError: if the root or a folder is missing.
        ValueError: for an unknown split, two sequences of one name, or frames and masks that do not match.
    """

    METAINFO = dict(dataset_name='SegTrack-v2')
    SOURCE = ('Get SegTrackv2.zip from https://web.engr.oregonstate.edu/~lif/SegTrack2/dataset.html and name the '
              'folder that holds its JPEGImages: `data_root`, or TEMPSEG_SEGTRACK_ROOT in the environment.')
    THRESHOLD = 127
    OBJECTS = MERGED

    def __init__(self, data_root: str, split: Split = 'all', **kwargs) -> None:
        self._places: dict = {}  # sequence -> (folder, folder of its object or '')
        super().__init__(data_root, split, resolution='', **kwargs)

    def splits(self) -> list:
        """``'all'`` and the lists in ``ImageSets`` that are not those of the frames of one sequence."""
        self._folder('GroundTruth')
        folder = self._path('ImageSets')
        lists = files_by_stem(folder, ('.txt',)) if os.path.isdir(folder) else {}
        return sorted({'all', *lists} - set(folders_in(self._folder('JPEGImages'))))

    def listed(self, path: str) -> list:
        entries = [line.lstrip('*').strip('/') for line in read_lines(path)]
        return [plain_name(entry, what=f'in the list {path}: folder') for entry in dict.fromkeys(entries)]

    def own_split(self, name: str) -> list:
        """All objects of all folders of a list, in its order."""
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
        missing = [f'sequence {folder!r} of the release is not there' for folder in OBJECTS if folder not in there]
        for folder in sorted(there & set(OBJECTS)):
            found = len(self._objects(folder))
            if found < OBJECTS[folder]:
                missing.append(f'{folder} has {found} object(s), the release {OBJECTS[folder]}')
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
                             'must be the same; unpack the sequence again, or leave it out')
        return super().sequence(name)

    def _find(self, folders: Iterable[str]) -> list:
        """Names of the sequences in these folders; remembers where they are."""
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
        """Folders of the objects; ``['']`` where the masks lie in the folder itself, none where it is missing."""
        path = self._path('GroundTruth', folder)
        return (folders_in(path) or ['']) if os.path.isdir(path) else []

    def _expected(self) -> str:
        return (f'{type(self).__name__} expects JPEGImages/<sequence>/*.png (or bmp, jpg) and GroundTruth/<sequence>/'
                f'[<object>/]*.png (or bmp, jpg) in `data_root`. {self.SOURCE}')


def _some(stems: list, what: str) -> str:
    return f'{len(stems)} {what} ({", ".join(stems[:3])}{", ..." if len(stems) > 3 else ""}); ' if stems else ''
