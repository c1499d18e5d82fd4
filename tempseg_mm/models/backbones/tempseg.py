"""The contracting path of Table A.1: layers 1 to 5 of the generator."""

from collections.abc import Sequence

import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn

from tempseg_mm.registry import MODELS

from .features import Features


@MODELS.register_module()
class TempSegBackbone(BaseModule):
    """Five layers of convolution, batch normalisation, ReLU; 2x2 max-pooling *with switches* after the first four.

    Paper note: Table A.1 lists nine widths for eleven kernels. Layers 1-5 take the first five of both; dropout, which
    "is also included", acts on the layers at 1/16 resolution only: layer 5 here, layer 6 in the decoder (paper notes
    P1, P2).

    Args:
        in_channels: 3 for RGB, 4 with a reference mask.
        width: multiplies every number of maps.
        channels: number of maps of each layer, 1-5.
        kernel_sizes: kernel size of each layer, 1-5.
        dropout: dropout rate after the last layer.

    Raises:
        ValueError: if ``channels`` and ``kernel_sizes`` differ in length.
    """

    def __init__(self, in_channels: int = 3, *, width: float = 1.0,
                 channels: Sequence[int] = (64, 128, 256, 512, 512), kernel_sizes: Sequence[int] = (5, 3, 3, 3, 3),
                 dropout: float = 0.5, init_cfg=None) -> None:
        super().__init__(init_cfg)
        if len(channels) != len(kernel_sizes):
            raise ValueError('channels and kernel_sizes must have the same length, got '
                             f'{len(channels)} and {len(kernel_sizes)}')
        scaled = [max(1, round(c * width)) for c in channels]
        self.layers = nn.ModuleList(
            ConvModule(c_in, c_out, k, padding=k // 2, norm_cfg=dict(type='BN'))
            for c_in, c_out, k in zip([in_channels, *scaled], scaled, kernel_sizes))
        self.dropout = nn.Dropout(dropout)
        self.skip_channels = tuple(scaled[:-1])
        self.bottom_channels = scaled[-1]
        self.stride = 2**(len(scaled) - 1)

    def forward(self, x: Tensor) -> Features:
        """Compute the features of (B, in_channels, H, W); H and W are multiples of ``stride``."""
        skips, switches = [], []
        for layer in self.layers[:-1]:
            skip = layer(x)
            x, switch = F.max_pool2d(skip, 2, return_indices=True)
            skips.append(skip)
            switches.append(switch)
        return Features(self.dropout(self.layers[-1](x)), tuple(skips), tuple(switches))
