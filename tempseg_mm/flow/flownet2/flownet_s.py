"""FlowNetS: the frames stacked, and plain convolutions. In FlowNet 2.0 twice, to correct the flow found before."""

from torch import Tensor

from .blocks import FLOW_SCALE, FlowDecoder, add_deep_layers, conv, deep_features


class FlowNetS(FlowDecoder):
    """FlowNetSimple (Dosovitskiy et al., ICCV 2015).

    Args:
        in_channels: 6 for two frames; 12 in FlowNet 2.0, see :class:`~tempseg_mm.flow.flownet2.flownet2.FlowNet2`.
    """

    divisor = 64
    unit = FLOW_SCALE  # pixels
    prefix = ''  # those of FlowNet 2.0 need more than two frames, so only weights of its own will do

    def __init__(self, in_channels: int = 6) -> None:
        super().__init__({6: 1024, 5: 512, 4: 512, 3: 256, 2: 128}, {5: 512, 4: 256, 3: 128, 2: 64},
                         upsampling_bias=False)
        self.conv1 = conv(in_channels, 64, 7, stride=2)
        self.conv2 = conv(64, 128, 5, stride=2)
        self.conv3 = conv(128, 256, 5, stride=2)
        self.conv3_1 = conv(256, 256)
        add_deep_layers(self)

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, in_channels, H, W), sides multiples of 64 -> (B, 2, H/4, W/4), 1 for 20 pixels."""
        level2 = self.conv2(self.conv1(inputs))
        return self.decode({2: level2, **deep_features(self, self.conv3_1(self.conv3(level2)))})
