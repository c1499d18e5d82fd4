from .base import FlowProvider
from .cached import CachedFlow
from .flownet2_flow import FlowNet2Flow, FlowNetCFlow, FlowNetSDFlow, FlowNetSFlow
from .raft import RAFTFlow
from .untrained import DISFlow, ZeroFlow

__all__ = [
    'CachedFlow', 'DISFlow', 'FlowNet2Flow', 'FlowNetCFlow', 'FlowNetSDFlow', 'FlowNetSFlow', 'FlowProvider',
    'RAFTFlow', 'ZeroFlow',
]
