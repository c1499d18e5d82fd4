"""The network that makes one flow of two, at full size: the end of FlowNet 2.0."""

from torch import Tensor

from .blocks import FlowDecoder, conv


class FusionNet(FlowDecoder):
    """FlowNetFusion (Ilg et al., CVPR 2017)."""

    def __init__(self) -> None:
        super().__init__({2: 128, 1: 128, 0: 64}, {1: 32, 0: 16}, inter_convs=True)
        self.conv0 = conv(11, 64)
        self.conv1 = conv(64, 64, stride=2)
        self.conv1_1 = conv(64, 128)
        self.conv2 = conv(128, 128, stride=2)
        self.conv2_1 = conv(128, 128)

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, 11, H, W), see :class:`~tempseg_mm.flow.flownet2.flownet2.FlowNet2` -> flow (B, 2, H, W) in pixels."""
        level0 = self.conv0(inputs)
        level1 = self.conv1_1(self.conv1(level0))
        return self.decode({0: level0, 1: level1, 2: self.conv2_1(self.conv2(level1))})
