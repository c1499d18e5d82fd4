from .base import FlowProvider
from .cached import CachedFlow
from .dis import DISFlow
from .zero import ZeroFlow

__all__ = ['CachedFlow', 'DISFlow', 'FlowProvider', 'ZeroFlow']
