"""Data sets of video object segmentation, the samplers that read them, and the transforms of clips."""

from .davis import DAVISDataset
from .davis2017 import DAVIS2017Dataset
from .image_folder import ImageFolderDataset
from .mose import MOSEDataset
from .samplers import ClipSampler, ResumableSampler, SequenceSampler
from .segtrack_v2 import SegTrackV2Dataset
from .synthetic.dataset import SyntheticVOSDataset, write_davis_layout
from .transforms import (
    ClipObjectWindow,
    ClipPhotometric,
    ClipRandomAffine,
    ClipResize,
    DeformReferenceMask,
    LoadClip,
    LoadFlow,
    LucidClip,
    PackClip,
    PackImage,
    RandomResizedCrop,
)
from .vos_dataset import VOSDataset
from .vos_sequence import VOSSequence
from .youtube_objects import YouTubeObjectsDataset
from .youtube_vos import YouTubeVOSDataset

__all__ = [
    'ClipObjectWindow',
    'ClipPhotometric',
    'ClipRandomAffine',
    'ClipResize',
    'ClipSampler',
    'DAVIS2017Dataset',
    'DAVISDataset',
    'DeformReferenceMask',
    'ImageFolderDataset',
    'LoadClip',
    'LoadFlow',
    'LucidClip',
    'MOSEDataset',
    'PackClip',
    'PackImage',
    'RandomResizedCrop',
    'ResumableSampler',
    'SegTrackV2Dataset',
    'SequenceSampler',
    'SyntheticVOSDataset',
    'VOSDataset',
    'VOSSequence',
    'YouTubeObjectsDataset',
    'YouTubeVOSDataset',
    'write_davis_layout',
]
