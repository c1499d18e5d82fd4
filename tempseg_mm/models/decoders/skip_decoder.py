"""The expanding path of Table A.1, layers 6 to 11, without saying how a map is enlarged."""

import math
from abc import abstractmethod
from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn

from tempseg_mm.models.backbones.features import Features

OBJECT_SHARE = 0.1  # of a frame's pixels, in DAVIS and in the rendered sequences about this


class SkipDecoder(BaseModule):
    """Conv at the bottom (layer 6), then per level: enlarge, join the skip, conv (layers 7-10), then logits (layer 11).

    Each level ends with as many maps as the next finer skip has, so that unpooling finds a switch for every map. With
    the paper's backbone this gives its widths 512 | 256, 128, 64, 64 | 1.

    Args:
        bottom_channels: maps of the backbone's deepest map.
        skip_channels: maps of its skips, finest first.
        dropout: rate after layer 6.
        last_kernel_size: kernel of layer 11.
    """

    def __init__(self, bottom_channels: int, skip_channels: Sequence[int], *, dropout: float = 0.5,
                 last_kernel_size: int = 5, init_cfg=None) -> None:
        super().__init__(init_cfg)
        coarse_first = list(reversed(skip_channels))
        self.bottom = ConvModule(bottom_channels, coarse_first[0], 3, padding=1, norm_cfg=dict(type='BN'))
        self.dropout = nn.Dropout(dropout)
        self.levels = nn.ModuleList(
            ConvModule(2 * c, c_next, 3, padding=1, norm_cfg=dict(type='BN'))
            for c, c_next in zip(coarse_first, [*coarse_first[1:], coarse_first[-1]]))
        self.to_logits = nn.Conv2d(coarse_first[-1], 1, last_kernel_size, padding=last_kernel_size // 2)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """What is special about this module's fresh weights: logits start from the object's share of the pixels."""
        # Objects are small: starting from their share of the pixels spares the features from learning it.
        nn.init.constant_(self.to_logits.bias, math.log(OBJECT_SHARE / (1 - OBJECT_SHARE)))

    @abstractmethod
    def enlarge(self, x: Tensor, skip: Tensor, switch: Tensor | None) -> Tensor:
        """(B, C, h, w) -> (B, C, H, W) with ``skip`` (B, C, H, W) and the ``switch`` (B, C, h, w) of its pooling."""

    def forward(self, features: Features) -> Tensor:
        """:class:`Features` -> logits (B, 1, H, W)."""
        switches = features.switches or [None] * len(features.skips)
        x = self.dropout(self.bottom(features.bottom))
        for level, skip, switch in zip(self.levels, reversed(features.skips), reversed(switches)):
            x = level(torch.cat([self.enlarge(x, skip, switch), skip], dim=1))
        return self.to_logits(x)
