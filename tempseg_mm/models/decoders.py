"""The expanding path of Table A.1, layers 6 to 11: unpooling as in the paper, or bilinear enlarging."""

import math
from abc import abstractmethod
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn

from tempseg_mm.models.backbones.features import Features
from tempseg_mm.registry import MODELS

OBJECT_SHARE = 0.1  # of a frame's pixels, in DAVIS and in the rendered sequences about this


class SkipDecoder(BaseModule):
    """Conv at the bottom (layer 6), then per level: enlarge, join the skip, conv (layers 7-10), then logits (layer 11).

    By default each level ends with as many maps as the next finer skip has, so that unpooling finds a switch for every
    map. With the paper's backbone this gives its widths 512 | 256, 128, 64, 64 | 1.

    Args:
        bottom_channels: maps of the backbone's deepest map.
        skip_channels: maps of its skips, finest first.
        dropout: rate after layer 6.
        last_kernel_size: kernel of layer 11.
        channels: maps after layer 6 and after each level, coarsest first, one more than there are skips; no width
            multiplies them. ``None``: those of the skips, the finest twice.

    Raises:
        ValueError: for another number of ``channels``.
    """

    def __init__(self, bottom_channels: int, skip_channels: Sequence[int], *, dropout: float = 0.5,
                 last_kernel_size: int = 5, channels: Sequence[int] | None = None, init_cfg=None) -> None:
        super().__init__(init_cfg)
        coarse_first = list(reversed(skip_channels))
        channels = [*coarse_first, coarse_first[-1]] if channels is None else list(channels)
        if len(channels) != len(coarse_first) + 1:
            raise ValueError(f'channels must be {len(coarse_first) + 1} numbers, one more than the backbone has skips, '
                             f'got {channels}')
        self.bottom = ConvModule(bottom_channels, channels[0], 3, padding=1, norm_cfg=dict(type='BN'))
        self.dropout = nn.Dropout(dropout)
        self.levels = nn.ModuleList(
            ConvModule(c + c_skip, c_next, 3, padding=1, norm_cfg=dict(type='BN'))
            for c, c_skip, c_next in zip(channels, coarse_first, channels[1:]))
        self.to_logits = nn.Conv2d(channels[-1], 1, last_kernel_size, padding=last_kernel_size // 2)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """What is special about this module's fresh weights: logits start from the object's share of the pixels."""
        # Objects are small: starting from their share of the pixels spares the features from learning it.
        nn.init.constant_(self.to_logits.bias, math.log(OBJECT_SHARE / (1 - OBJECT_SHARE)))

    @abstractmethod
    def enlarge(self, x: Tensor, skip: Tensor, switch: Tensor | None) -> Tensor:
        """(B, C, h, w) -> (B, C, H, W) with ``skip`` (B, C, H, W) and the ``switch`` (B, C, h, w) of its pooling."""

    def forward(self, features: Features) -> Tensor:
        """:class:`Features` -> logits (B, 1, H, W) of the size of the finest skip."""
        switches = features.switches or [None] * len(features.skips)
        x = self.dropout(self.bottom(features.bottom))
        for level, skip, switch in zip(self.levels, reversed(features.skips), reversed(switches)):
            x = level(torch.cat([self.enlarge(x, skip, switch), skip], dim=1))
        return self.to_logits(x)


@MODELS.register_module()
class UnpoolDecoder(SkipDecoder):
    """Unpooling after Zeiler and Fergus, 2014: each value returns to where its maximum came from, zeros elsewhere."""

    def enlarge(self, x: Tensor, skip: Tensor, switch: Tensor | None) -> Tensor:
        """See :class:`SkipDecoder`.

        Raises:
            ValueError: if the backbone keeps no switches, or other ``channels`` leave maps without one.
        """
        if switch is None:
            raise ValueError('UnpoolDecoder needs a backbone that keeps its pooling switches; this one does not. '
                             "Use decoder=dict(type='UpsampleDecoder').")
        if x.shape[1] != switch.shape[1]:
            raise ValueError(f'UnpoolDecoder has {x.shape[1]} maps to enlarge and switches for {switch.shape[1]}: '
                             "leave `channels` out, or use decoder=dict(type='UpsampleDecoder')")
        # `max_unpool2d` is refused where torch must be deterministic, though no two maxima share a place here; and in
        # an export it would keep the size of the frames it was traced with.
        if torch.jit.is_tracing() or torch.are_deterministic_algorithms_enabled():
            zeros = torch.zeros_like(skip, dtype=x.dtype)
            return zeros.flatten(2).scatter(2, switch.flatten(2), x.flatten(2)).view_as(skip)
        return F.max_unpool2d(x, switch, 2, output_size=skip.shape[-2:])


@MODELS.register_module()
class UpsampleDecoder(SkipDecoder):
    """Bilinear enlarging; everything else as in :class:`SkipDecoder`."""

    def enlarge(self, x: Tensor, skip: Tensor, switch: Tensor | None) -> Tensor:
        """See :class:`SkipDecoder`; the switch is not used."""
        return F.interpolate(x, size=skip.shape[-2:], mode='bilinear', align_corners=False)
