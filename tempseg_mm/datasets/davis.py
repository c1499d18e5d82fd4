"""DAVIS 2016 (Perazzi et al., CVPR 2016) as released."""

from tempseg_mm.registry import DATASETS

from .splits import DAVIS_2016
from .vos_dataset import VOSDataset
from .vos_sequence import MERGED


@DATASETS.register_module()
class DAVISDataset(VOSDataset):
    """The unpacked archive "DAVIS 2016 480p" with the splits ``train`` (30 sequences) and ``val`` (20), or a list of
    your own.

    The project ships the lists ``fit`` and ``dev`` (24 and 6 sequences of ``train``), ``fit20`` and ``dev10`` (20 and
    10). See :class:`~tempseg_mm.datasets.vos_dataset.VOSDataset` for the folders and the arguments.
    """

    METAINFO = dict(dataset_name='DAVIS 2016')
    LISTS = DAVIS_2016
    OBJECTS = MERGED
    SOURCE = ('Get the "DAVIS 2016 480p" TrainVal archive from https://davischallenge.org/davis2016/code.html and name '
              'the folder that holds its JPEGImages: set `data_root`, or TEMPSEG_DAVIS_ROOT in the environment.')
