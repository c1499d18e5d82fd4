from .base import FlowProvider
from .cached import CachedFlow
from .dis import DISFlow
from .flownet2_flow import FlowNet2Flow, FlowNetCFlow, FlowNetSDFlow, FlowNetSFlow
from .raft import RAFTFlow
from .zero import ZeroFlow

__all__ = [
    'CachedFlow', 'DISFlow', 'FlowNet2Flow', 'FlowNetCFlow', 'FlowNetSDFlow', 'FlowNetSFlow', 'FlowProvider',
    'RAFTFlow', 'ZeroFlow',
]
