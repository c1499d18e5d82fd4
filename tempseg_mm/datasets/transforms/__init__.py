from .formatting import PackClip
from .geometry import ClipRandomAffine, ClipRandomWindow, ClipResize
from .image import PackImage, RandomResizedCrop
from .loading import LoadClip, LoadFlow
from .lucid import LucidClip
from .photometric import ClipPhotometric
from .reference import DeformReferenceMask

__all__ = [
    'ClipPhotometric',
    'ClipRandomAffine',
    'ClipRandomWindow',
    'ClipResize',
    'DeformReferenceMask',
    'LoadClip',
    'LoadFlow',
    'LucidClip',
    'PackClip',
    'PackImage',
    'RandomResizedCrop',
]
