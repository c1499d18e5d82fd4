from .flownet2 import FlowNet2
from .flownet_c import FlowNetC
from .flownet_s import FlowNetS
from .flownet_sd import FlowNetSD
from .fusion import FusionNet

__all__ = ['FlowNet2', 'FlowNetC', 'FlowNetS', 'FlowNetSD', 'FusionNet']
