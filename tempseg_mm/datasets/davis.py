"""DAVIS as it is released."""

from tempseg_mm.registry import DATASETS

from .splits import DAVIS_2016
from .vos_dataset import VOSDataset
from .vos_sequence import MERGED


@DATASETS.register_module()
class DAVISDataset(VOSDataset):
    """The archive "DAVIS 2016 480p" as unpacked; splits ``train`` (30 sequences), ``val`` (20), or a list of yours.

    With the project come ``fit`` and ``dev`` (24 and 6 of ``train``), ``fit20`` and ``dev10`` (20 and 10 of them).

    See :class:`~tempseg_mm.datasets.vos_dataset.VOSDataset` for the folders and the arguments.
    """

    METAINFO = dict(dataset_name='DAVIS 2016')
    LISTS = DAVIS_2016
    OBJECTS = MERGED
    SOURCE = ('Get the "DAVIS 2016 480p" TrainVal archive from https://davischallenge.org/davis2016/code.html and name '
              'the folder that holds its JPEGImages: `data_root`, or TEMPSEG_DAVIS_ROOT in the environment.')
