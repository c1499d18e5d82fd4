"""Transforms of clips for training, and of single images for pre-training."""

from .formatting import PackClip
from .geometry import ClipRandomAffine, ClipResize
from .image import PackImage, RandomResizedCrop
from .loading import LoadClip, LoadFlow
from .lucid import LucidClip
from .object_window import ClipObjectWindow
from .photometric import ClipPhotometric
from .reference import DeformReferenceMask

__all__ = [
    'ClipObjectWindow',
    'ClipPhotometric',
    'ClipRandomAffine',
    'ClipResize',
    'DeformReferenceMask',
    'LoadClip',
    'LoadFlow',
    'LucidClip',
    'PackClip',
    'PackImage',
    'RandomResizedCrop',
]
