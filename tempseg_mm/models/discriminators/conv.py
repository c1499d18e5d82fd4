"""The discriminator D of Table A.1: an encoded mask to one real/fake logit."""

from collections.abc import Sequence

from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn

from tempseg_mm.registry import MODELS


@MODELS.register_module()
class ConvDiscriminator(BaseModule):
    """Three convolutions with ReLU, adaptive average pooling, fully connected layers, one logit.

    Paper note: fully connected layers need a fixed size, so maps are averaged to ``pool_size`` before them. The paper
    gives no strides; 2 in the 5x5 layers keeps an adversarial step affordable. ``strides=(1, 1, 1)`` is the other
    reading (paper note P6).

    Args:
        in_channels: maps of the encoded mask (twice that when conditioned on the target).
        width: multiplies every number of maps and units but the last.
        channels: maps of the convolutions.
        kernel_sizes: their kernels.
        strides: their strides.
        pool_size: side of the grid that the maps are averaged to.
        units: sizes of the hidden fully connected layers.
    """

    def __init__(self, in_channels: int, *, width: float = 1.0, channels: Sequence[int] = (256, 512, 512),
                 kernel_sizes: Sequence[int] = (3, 5, 5), strides: Sequence[int] = (1, 2, 2), pool_size: int = 4,
                 units: Sequence[int] = (1024, 512), init_cfg=None) -> None:
        super().__init__(init_cfg)
        maps = [max(1, round(c * width)) for c in channels]
        hidden = [max(1, round(u * width)) for u in units]
        self.convs = nn.Sequential(*(
            ConvModule(c_in, c_out, k, stride=s, padding=k // 2)
            for c_in, c_out, k, s in zip([in_channels, *maps], maps, kernel_sizes, strides)))
        self.pool = nn.AdaptiveAvgPool2d(pool_size)
        self.hidden = nn.Sequential(*(
            nn.Sequential(nn.Linear(u_in, u_out), nn.ReLU(inplace=True))
            for u_in, u_out in zip([maps[-1] * pool_size**2, *hidden], hidden)))
        self.to_logit = nn.Linear(hidden[-1], 1)

    def forward(self, encoded: Tensor) -> Tensor:
        """(M, in_channels, h, w) -> (M,) logits, positive for real."""
        return self.to_logit(self.hidden(self.pool(self.convs(encoded)).flatten(1))).squeeze(1)
