from .server import PageServer
from .workspace import Workspace, begin

__all__ = ['PageServer', 'Workspace', 'begin']
