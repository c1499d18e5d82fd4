from .dataset import SyntheticVOSDataset, write_davis_layout
from .draw import SceneParams

__all__ = ['SceneParams', 'SyntheticVOSDataset', 'write_davis_layout']
