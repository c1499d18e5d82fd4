"""FlowNetC: both frames through one stem, then a correlation of what was found. First network of FlowNet 2.0."""

import torch
from torch import Tensor
from torch.nn import functional as F

from .blocks import FLOW_SCALE, SLOPE, FlowDecoder, add_deep_layers, conv, deep_features
from .correlation import correlation


class FlowNetC(FlowDecoder):
    """FlowNetCorr (Dosovitskiy et al., ICCV 2015; in FlowNet 2.0 with a decoder down to a quarter of the size)."""

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
        """Frames t and t+1, (B, 6, H, W), normalised, sides multiples of 64 -> (B, 2, H/4, W/4), 1 for 20 pixels."""
        level2, next_level2 = (self.conv2(self.conv1(frame)) for frame in frames.chunk(2, dim=1))
        level3, next_level3 = self.conv3(level2), self.conv3(next_level2)
        alike = F.leaky_relu(correlation(level3, next_level3), SLOPE)
        level3 = self.conv3_1(torch.cat([self.conv_redir(level3), alike], dim=1))
        return self.decode({2: level2, **deep_features(self, level3)})
