"""DAVIS 2017 (Pont-Tuset et al., arXiv:1704.00675): several objects per sequence; with the lists of DAVIS 2016, one."""

import os
from functools import cached_property

from tempseg_mm.registry import DATASETS

from .sequence_files import files_by_stem
from .splits import DAVIS_2016, Split
from .vos_dataset import VOSDataset
from .vos_sequence import MERGED

YEARS = (2016, 2017, 2019)
GIVEN_ONLY = ('test-dev', 'test-challenge')  # the organisers do not publish their other masks


@DATASETS.register_module()
class DAVIS2017Dataset(VOSDataset):
    """The unpacked archives of DAVIS 2017 (TrainVal, Test-Dev, Test-Challenge), in one folder or each in its own::

        data_root/
        ├── JPEGImages/480p/<sequence>/00000.jpg, ...            or Full-Resolution
        ├── Annotations/480p/<sequence>/00000.png, ...           palette PNG: the value is the object's id
        ├── Annotations_unsupervised/480p/<sequence>/...         from the unsupervised archives, for year 2019
        └── ImageSets/2016/, 2017/, 2019/<split>.txt             one sequence per line

    ``year`` selects the lists and annotations:

    - 2017: objects are told apart. Splits: ``train`` (60 sequences), ``val`` (30), ``test-dev``, ``test-challenge``.
      The last two have only the masks of the first frames, so they are segmented but not scored.
    - 2016: the lists of DAVIS 2016, ``train`` (30) and ``val`` (20), and the lists of the project that
      :class:`~tempseg_mm.datasets.davis.DAVISDataset` names. All objects of a sequence count as one.
    - 2019: the annotations of the unsupervised challenge, with objects told apart. ``train`` and ``val`` are those of
      2017.

    Args:
        data_root: the folder drawn above.
        split: name of a list of that year, or any other value that :class:`~tempseg_mm.datasets.vos_dataset.VOSDataset`
            accepts.
        year: 2016, 2017 or 2019, as described above.
        kwargs: the other arguments of :class:`~tempseg_mm.datasets.vos_dataset.VOSDataset`. The default of ``objects``
            depends on the year.

    Raises:
        FileNotFoundError: if the root or one of the folders above is missing.
        ValueError: for another year, and in the cases of :class:`~tempseg_mm.datasets.vos_dataset.VOSDataset`.
    """

    METAINFO = dict(dataset_name='DAVIS 2017')
    SOURCE = ('Get the archives from https://davischallenge.org/davis2017/code.html and name the folder that holds '
              'JPEGImages: set `data_root`, or TEMPSEG_DAVIS2017_ROOT in the environment.')

    def __init__(self, data_root: str, split: Split, *, year: int = 2017, **kwargs) -> None:
        if year not in YEARS:
            raise ValueError(f'year is {year!r}, but there are lists of {", ".join(map(str, YEARS))}: 2017 for several '
                             'objects per sequence, 2016 for one, 2019 for the unsupervised annotations')
        self.year = year
        if year == 2016:
            self.LISTS = DAVIS_2016
            kwargs['objects'] = kwargs.get('objects') or MERGED
        super().__init__(data_root, split, **kwargs)

    def splits(self) -> list:
        return sorted(self._lists())

    def own_split(self, name: str) -> list:
        return self.listed(self._lists()[name])

    def has_given_masks_only(self, name: str) -> bool:
        return name in self._given_only

    @cached_property
    def _given_only(self) -> frozenset:
        try:
            lists = self._lists()
        except FileNotFoundError:  # reported when a split is looked up; names and other lists do not need these lists
            return frozenset()
        paths = [path for split, path in lists.items() if split in GIVEN_ONLY]
        return frozenset(name for path in paths for name in self.listed(path))

    def _lists(self) -> dict:
        """Return split -> path of its list. For 2019, a split that has no list of 2019 takes the list of 2017."""
        years = (2017, 2019) if self.year == 2019 else (self.year,)
        there = [path for year in years if os.path.isdir(path := os.path.join(self.data_root, 'ImageSets', str(year)))]
        return {split: path for folder in there or [self._folder('ImageSets')]
                for split, path in files_by_stem(folder, ('.txt',)).items()}

    def _path(self, kind: str, *names: str) -> str:
        if kind == 'ImageSets':
            return os.path.join(self.data_root, kind, str(self.year), *names)
        return super()._path('Annotations_unsupervised' if (kind, self.year) == ('Annotations', 2019) else kind, *names)

    def _expected(self) -> str:
        masks = 'Annotations_unsupervised' if self.year == 2019 else 'Annotations'
        return (f'{type(self).__name__} with year={self.year} expects JPEGImages/{self.resolution}/<sequence>/*.jpg, '
                f'{masks}/{self.resolution}/<sequence>/*.png and ImageSets/{self.year}/<split>.txt in `data_root`. '
                f'{self.SOURCE}')
