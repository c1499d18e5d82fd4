"""Rendered sequences with exact masks and exact flow."""

from .dataset import SyntheticVOSDataset, write_davis_layout
from .draw import SceneParams

__all__ = ['SceneParams', 'SyntheticVOSDataset', 'write_davis_layout']
