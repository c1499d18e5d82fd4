from .server import PageServer
from .workspace import Workspace

__all__ = ['PageServer', 'Workspace']
