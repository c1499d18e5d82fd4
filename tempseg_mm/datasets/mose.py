"""MOSE (Ding et al., ICCV 2023) and releases with the same layout, such as LVOS: folders of splits without lists."""

import os
from dataclasses import replace

from tempseg_mm.registry import DATASETS

from .known_trees import advice, has_sequences
from .sequence_files import folders_in
from .splits import Split
from .vos_dataset import VOSDataset
from .vos_sequence import VOSSequence

ALL = 'all'  # name of the only split of a tree without splits


@DATASETS.register_module()
class MOSEDataset(VOSDataset):
    """The unpacked archives, with one folder per split::

        data_root/
        ├── train/JPEGImages/<sequence>/00000.jpg, ...
        ├── train/Annotations/<sequence>/00000.png, ...     palette PNG: the value is the object's id
        ├── valid/JPEGImages/<sequence>/00000.jpg, ...
        └── valid/Annotations/<sequence>/00000.png          only the first mask

    or a single tree, which has only the split ``'all'``::

        data_root/
        ├── JPEGImages/<sequence>/00000.jpg, ...
        └── Annotations/<sequence>/00000.png, ...

    For ``valid`` and ``test`` the organisers publish only the masks to begin with, so these splits are segmented but
    not scored. In a test, a sequence begins with the first annotated frame that shows an object.

    Args:
        data_root: the folder drawn above.
        split: name of a folder in ``data_root``, ``'all'``, the path of a list, or names of sequences.
        kwargs: the arguments of :class:`~tempseg_mm.datasets.vos_dataset.VOSDataset` except ``resolution``.

    Raises:
        FileNotFoundError: if the root is missing or holds no such tree.
        ValueError: for an unknown split, a sequence name that occurs in two splits, or a sequence whose masks show no
            object, and in the cases of :class:`~tempseg_mm.datasets.vos_dataset.VOSDataset`.
    """

    METAINFO = dict(dataset_name='MOSE')
    SOURCE = ('Get the archives from https://henghuiding.github.io/MOSE/ and name the folder that holds train and '
              'valid: set `data_root`, or TEMPSEG_MOSE_ROOT in the environment.')
    LATE_START = True
    LATE_OBJECTS = True
    STEP = None

    def __init__(self, data_root: str, split: Split = 'train', **kwargs) -> None:
        self._places: dict = {}  # sequence -> folder of its split
        super().__init__(data_root, split, resolution='', **kwargs)

    def splits(self) -> list:
        """Return the folders that hold JPEGImages and Annotations, and ``'all'`` if ``data_root`` itself holds them."""
        found = [name for name in folders_in(self.data_root) if self._is_split(name)]
        found += [ALL] if self._is_split('') and has_sequences(self.data_root) else []
        if not found:
            raise FileNotFoundError(f'{self.data_root} holds no split, that is, no folder with JPEGImages and '
                                    f'Annotations.{advice(self) or " " + self._expected()}')
        return found

    def own_split(self, name: str) -> list:
        place = '' if name == ALL else name
        names = folders_in(os.path.join(self.data_root, place, 'JPEGImages'))
        for sequence in names:
            if self._places.setdefault(sequence, place) != place:
                raise ValueError(f'sequence {sequence!r} is in {self._places[sequence]} and in {name}, but results are '
                                 'stored by sequence name: look at one split at a time')
        return names

    def names_on_disk(self) -> list:
        return [name for split in self.splits() for name in self.own_split(split)]

    def has_given_masks_only(self, name: str) -> bool:
        return self._places[name] not in ('', 'train')

    def sequence(self, name: str) -> VOSSequence:
        """Return a sequence; in a test, decode masks to find the first frame with an object, and begin there."""
        sequence = super().sequence(name)
        return from_first_object(sequence) if self.test_mode else sequence

    def _is_split(self, name: str) -> bool:
        return all(os.path.isdir(os.path.join(self.data_root, name, kind)) for kind in ('JPEGImages', 'Annotations'))

    def _path(self, kind: str, *names: str) -> str:
        return os.path.join(self.data_root, self._places[names[0]] if names else '', kind, *names)

    def _expected(self) -> str:
        return (f'{type(self).__name__} expects <split>/JPEGImages/<sequence>/*.jpg and '
                f'<split>/Annotations/<sequence>/*.png in `data_root`. {self.SOURCE}')


def from_first_object(sequence: VOSSequence) -> VOSSequence:
    """Return the sequence without the frames before the first annotation that shows an object.

    Raises:
        OSError, ValueError: if a mask cannot be read, or no mask shows an object.
    """
    for i in filter(sequence.is_annotated, range(len(sequence))):
        if sequence.annotation(i).ids.any():
            return sequence if i == 0 else replace(
                sequence, frame_paths=sequence.frame_paths[i:], mask_paths=sequence.mask_paths[i:],
                flow_paths=sequence.flow_paths[i:])
    masks = sum(map(sequence.is_annotated, range(len(sequence))))
    raise ValueError(f'sequence {sequence.name!r} has {masks} mask(s), none of which shows an object: nothing to begin '
                     'with. Leave it out with `sequences`')
