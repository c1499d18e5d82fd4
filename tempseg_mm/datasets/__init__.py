from .clip_sampler import ClipSampler
from .davis import DAVISDataset
from .synthetic import SyntheticVOSDataset, write_davis_layout
from .transforms import (
    ClipPhotometric,
    ClipRandomAffine,
    ClipResize,
    DeformReferenceMask,
    LoadClip,
    LoadFlow,
    PackClip,
)
from .vos_dataset import VOSDataset
from .vos_sequence import VOSSequence

__all__ = [
    'ClipPhotometric',
    'ClipRandomAffine',
    'ClipResize',
    'ClipSampler',
    'DAVISDataset',
    'DeformReferenceMask',
    'LoadClip',
    'LoadFlow',
    'PackClip',
    'SyntheticVOSDataset',
    'VOSDataset',
    'VOSSequence',
    'write_davis_layout',
]
