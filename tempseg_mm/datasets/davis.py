"""DAVIS 2016 (Perazzi et al., CVPR 2016): 50 sequences, one annotated object each, every frame annotated."""

from tempseg_mm.registry import DATASETS

from .vos_dataset import VOSDataset


@DATASETS.register_module()
class DAVISDataset(VOSDataset):
    """The archive "DAVIS 2016 480p" as unpacked; splits ``train`` (30 sequences), ``val`` (20), or a list of yours.

    See :class:`~tempseg_mm.datasets.vos_dataset.VOSDataset` for the folders and the arguments.
    """

    METAINFO = dict(dataset_name='DAVIS 2016')
    SOURCE = ('Get the "DAVIS 2016 480p" TrainVal archive from https://davischallenge.org/davis2016/code.html and set '
              '`data_root` to the folder that holds its JPEGImages.')
