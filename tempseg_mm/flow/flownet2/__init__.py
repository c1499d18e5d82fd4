from .flownet2 import FlowNet2
from .subnetworks import FlowNetC, FlowNetS, FlowNetSD, FusionNet

__all__ = ['FlowNet2', 'FlowNetC', 'FlowNetS', 'FlowNetSD', 'FusionNet']
