from .crop import ClipRandomWindow
from .formatting import PackClip
from .geometry import ClipRandomAffine, ClipResize
from .image import PackImage, RandomResizedCrop
from .loading import LoadClip, LoadFlow
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
    'PackClip',
    'PackImage',
    'RandomResizedCrop',
]
