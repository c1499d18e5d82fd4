"""Networks inside FlowNet 2.0: C, S and SD estimate flow, and the fusion network joins two flows."""

import torch
from torch import Tensor
from torch.nn import functional as F

from tempseg_mm.flow.flownet2.blocks import (
    FLOW_SCALE,
    SLOPE,
    FlowDecoder,
    add_deep_layers,
    conv,
    correlation,
    deep_features,
)


class FlowNetC(FlowDecoder):
    """FlowNetCorr (Dosovitskiy et al., ICCV 2015), with FlowNet 2.0's decoder down to a quarter of the size."""

    divisor = 64
    unit = FLOW_SCALE  # pixels
    prefix = 'flownetc.'

    def __init__(self) -> None:
        super().__init__({6: 1024, 5: 512, 4: 512, 3: 256, 2: 128}, {5: 512, 4: 256, 3: 128, 2: 64})
        self.conv1 = conv(3, 64, 7, stride=2)
        self.conv2 = conv(64, 128, 5, stride=2)
        self.conv3 = conv(128, 256, 5, stride=2)
        self.conv_redir = conv(256, 32, 1)
        self.conv3_1 = conv(32 + 441, 256)
        add_deep_layers(self)

    def forward(self, frames: Tensor) -> Tensor:
        """Return flow, (B, 2, H/4, W/4) in units of 20 pixels.

        Args:
            frames: (B, 6, H, W), frames t and t+1, normalised, sides multiples of 64.
        """
        level2, next_level2 = (self.conv2(self.conv1(frame)) for frame in frames.chunk(2, dim=1))
        level3, next_level3 = self.conv3(level2), self.conv3(next_level2)
        alike = F.leaky_relu(correlation(level3, next_level3), SLOPE)
        level3 = self.conv3_1(torch.cat([self.conv_redir(level3), alike], dim=1))
        return self.decode({2: level2, **deep_features(self, level3)})


class FlowNetS(FlowDecoder):
    """FlowNetSimple (Dosovitskiy et al., ICCV 2015).

    Args:
        in_channels: 6 for two frames; 12 in FlowNet 2.0, see :class:`~tempseg_mm.flow.flownet2.flownet2.FlowNet2`.
    """

    divisor = 64
    unit = FLOW_SCALE  # pixels
    prefix = ''  # needs its own weights: those in FlowNet 2.0 expect more input than two frames

    def __init__(self, in_channels: int = 6) -> None:
        super().__init__({6: 1024, 5: 512, 4: 512, 3: 256, 2: 128}, {5: 512, 4: 256, 3: 128, 2: 64},
                         upsampling_bias=False)
        self.conv1 = conv(in_channels, 64, 7, stride=2)
        self.conv2 = conv(64, 128, 5, stride=2)
        self.conv3 = conv(128, 256, 5, stride=2)
        self.conv3_1 = conv(256, 256)
        add_deep_layers(self)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return flow in units of 20 pixels: (B, in_channels, H, W), sides multiples of 64 -> (B, 2, H/4, W/4)."""
        level2 = self.conv2(self.conv1(inputs))
        return self.decode({2: level2, **deep_features(self, self.conv3_1(self.conv3(level2)))})


class FlowNetSD(FlowDecoder):
    """Network for small displacements (Ilg et al., CVPR 2017).

    Its output is divided by 20, while the outputs of C and S are multiplied by 20, as in the published FlowNet 2.0.
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
        """Return flow, (B, 2, H/4, W/4) in units of 1/20 pixel.

        Args:
            frames: as for :class:`FlowNetC`.
        """
        level1 = self.conv1_1(self.conv1(self.conv0(frames)))
        level2 = self.conv2_1(self.conv2(level1))
        return self.decode({2: level2, **deep_features(self, self.conv3_1(self.conv3(level2)))})


class FusionNet(FlowDecoder):
    """FlowNetFusion (Ilg et al., CVPR 2017): joins the flows of S2 and SD."""

    def __init__(self) -> None:
        super().__init__({2: 128, 1: 128, 0: 64}, {1: 32, 0: 16}, inter_convs=True)
        self.conv0 = conv(11, 64)
        self.conv1 = conv(64, 64, stride=2)
        self.conv1_1 = conv(64, 128)
        self.conv2 = conv(128, 128, stride=2)
        self.conv2_1 = conv(128, 128)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return flow (B, 2, H, W) in pixels from the (B, 11, H, W) that ``FlowNet2.forward`` joins."""
        level0 = self.conv0(inputs)
        level1 = self.conv1_1(self.conv1(level0))
        return self.decode({0: level0, 1: level1, 2: self.conv2_1(self.conv2(level1))})
