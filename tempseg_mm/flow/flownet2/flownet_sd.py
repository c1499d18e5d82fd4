"""FlowNetSD: as FlowNetS, with small kernels for small displacements. In FlowNet 2.0 beside the others."""

from torch import Tensor

from .blocks import FLOW_SCALE, FlowDecoder, add_deep_layers, conv, deep_features


class FlowNetSD(FlowDecoder):
    """The network for small displacements of Ilg et al. (CVPR 2017).

    Its output is divided by 20 where that of the others is multiplied, as in the published FlowNet 2.0.
    """

    divisor = 64
    unit = 1 / FLOW_SCALE  # pixels
    prefix = 'flownets_d.'

    def __init__(self) -> None:
        super().__init__({6: 1024, 5: 512, 4: 512, 3: 256, 2: 128}, {5: 512, 4: 256, 3: 128, 2: 64},
                         inter_convs=True)
        self.conv0 = conv(6, 64)
        self.conv1 = conv(64, 64, stride=2)
        self.conv1_1 = conv(64, 128)
        self.conv2 = conv(128, 128, stride=2)
        self.conv2_1 = conv(128, 128)
        self.conv3 = conv(128, 256, stride=2)
        self.conv3_1 = conv(256, 256)
        add_deep_layers(self)

    def forward(self, frames: Tensor) -> Tensor:
        """Frames t and t+1, (B, 6, H, W), normalised, sides multiples of 64 -> (B, 2, H/4, W/4), 20 for a pixel."""
        level1 = self.conv1_1(self.conv1(self.conv0(frames)))
        level2 = self.conv2_1(self.conv2(level1))
        return self.decode({2: level2, **deep_features(self, self.conv3_1(self.conv3(level2)))})
