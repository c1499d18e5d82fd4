"""The mask encoder E of Table A.1: a mask into the feature space where D judges it."""

from collections.abc import Sequence

import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn

from tempseg_mm.registry import MODELS


@MODELS.register_module()
class MaskEncoder(BaseModule):
    """Conv, ReLU, 2x2 max-pooling, three times: (M, 1, H, W) -> (M, 256, H/8, W/8) at full width.

    Args:
        width: multiplies every number of maps.
        channels: maps per layer.
        kernel_sizes: kernel per layer.
    """

    def __init__(self, *, width: float = 1.0, channels: Sequence[int] = (64, 128, 256),
                 kernel_sizes: Sequence[int] = (5, 3, 3), init_cfg=None) -> None:
        super().__init__(init_cfg)
        scaled = [max(1, round(c * width)) for c in channels]
        self.layers = nn.ModuleList(
            ConvModule(c_in, c_out, k, padding=k // 2, act_cfg=None)
            for c_in, c_out, k in zip([1, *scaled], scaled, kernel_sizes))
        self.out_channels = scaled[-1]

    def forward(self, masks: Tensor) -> Tensor:
        """(M, 1, H, W) in [0, 1], H and W at least 8 -> (M, out_channels, H//8, W//8)."""
        for layer in self.layers:
            # ReLU after the pooling: the same values, a quarter of the work.
            masks = F.relu(F.max_pool2d(layer(masks), 2))
        return masks
