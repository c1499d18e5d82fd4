from .clip_sampler import ClipSampler
from .davis import DAVISDataset
from .image_folder import ImageFolderDataset
from .segtrack_v2 import SegTrackV2Dataset
from .synthetic import SyntheticVOSDataset, write_davis_layout
from .transforms import (
    ClipPhotometric,
    ClipRandomAffine,
    ClipResize,
    DeformReferenceMask,
    LoadClip,
    LoadFlow,
    PackClip,
    PackImage,
    RandomResizedCrop,
)
from .vos_dataset import VOSDataset
from .vos_sequence import VOSSequence
from .youtube_objects import YouTubeObjectsDataset

__all__ = [
    'ClipPhotometric',
    'ClipRandomAffine',
    'ClipResize',
    'ClipSampler',
    'DAVISDataset',
    'DeformReferenceMask',
    'ImageFolderDataset',
    'LoadClip',
    'LoadFlow',
    'PackClip',
    'PackImage',
    'RandomResizedCrop',
    'SegTrackV2Dataset',
    'SyntheticVOSDataset',
    'VOSDataset',
    'VOSSequence',
    'YouTubeObjectsDataset',
    'write_davis_layout',
]
