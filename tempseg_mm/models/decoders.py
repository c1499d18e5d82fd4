"""The expanding path of Table A.1, layers 6 to 11, with unpooling as in the paper or with bilinear upsampling."""

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

OBJECT_SHARE = 0.1  # typical share of the object in the pixels of a frame, in DAVIS and in rendered sequences


class SkipDecoder(BaseModule):
    """Decodes features: a convolution (layer 6), then levels (layers 7-10), then logits (layer 11).

    Each level enlarges the maps, joins them with a skip, and applies a convolution. By default it ends with as many
    maps as the next finer skip has, so that unpooling finds a switch for every map. With the paper's backbone this
    gives its widths 512 | 256, 128, 64, 64 | 1.

    Args:
        bottom_channels: number of maps of the backbone's deepest features.
        skip_channels: number of maps of each skip, finest first.
        dropout: dropout rate after layer 6.
        last_kernel_size: kernel size of layer 11.
        channels: number of maps after layer 6 and after each level, coarsest first: one number more than there are
            skips. No width multiplies them. ``None``: the numbers of the skips, with the finest twice.

    Raises:
        ValueError: if ``channels`` has another length.
    """

    def __init__(self, bottom_channels: int, skip_channels: Sequence[int], *, dropout: float = 0.5,
                 last_kernel_size: int = 5, channels: Sequence[int] | None = None, init_cfg=None) -> None:
        super().__init__(init_cfg)
        coarse_first = list(reversed(skip_channels))
        channels = [*coarse_first, coarse_first[-1]] if channels is None else list(channels)
        if len(channels) != len(coarse_first) + 1:
            raise ValueError(f'channels must hold {len(coarse_first) + 1} numbers, one more than the backbone has '
                             f'skips, got {channels}')
        self.bottom = ConvModule(bottom_channels, channels[0], 3, padding=1, norm_cfg=dict(type='BN'))
        self.dropout = nn.Dropout(dropout)
        self.levels = nn.ModuleList(
            ConvModule(c + c_skip, c_next, 3, padding=1, norm_cfg=dict(type='BN'))
            for c, c_skip, c_next in zip(channels, coarse_first, channels[1:]))
        self.to_logits = nn.Conv2d(channels[-1], 1, last_kernel_size, padding=last_kernel_size // 2)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Initialise the bias of the logits, so that they start from the typical share of an object in the pixels."""
        # Objects are small. With this bias the features need not learn it.
        nn.init.constant_(self.to_logits.bias, math.log(OBJECT_SHARE / (1 - OBJECT_SHARE)))

    @abstractmethod
    def enlarge(self, x: Tensor, skip: Tensor, switch: Tensor | None) -> Tensor:
        """Enlarge ``x`` (B, C, h, w) to the size of ``skip`` (B, C, H, W).

        ``switch`` (B, C, h, w) holds the indices of the skip's pooling; ``None`` if there are none.
        """

    def forward(self, features: Features) -> Tensor:
        """Compute logits (B, 1, H, W) of the size of the finest skip."""
        switches = features.switches or [None] * len(features.skips)
        x = self.dropout(self.bottom(features.bottom))
        for level, skip, switch in zip(self.levels, reversed(features.skips), reversed(switches)):
            x = level(torch.cat([self.enlarge(x, skip, switch), skip], dim=1))
        return self.to_logits(x)


@MODELS.register_module()
class UnpoolDecoder(SkipDecoder):
    """Unpools after Zeiler and Fergus (2014): each value returns to the place of its maximum; other places are zero."""

    def enlarge(self, x: Tensor, skip: Tensor, switch: Tensor | None) -> Tensor:
        """Unpool ``x`` with the switches; see :class:`SkipDecoder`.

        Raises:
            ValueError: if the backbone keeps no switches, or if there are not as many switches as maps.
        """
        if switch is None:
            raise ValueError('UnpoolDecoder needs a backbone that keeps its pooling switches; this backbone does not. '
                             "Use decoder=dict(type='UpsampleDecoder').")
        if x.shape[1] != switch.shape[1]:
            raise ValueError(f'UnpoolDecoder has {x.shape[1]} maps to enlarge, but switches for {switch.shape[1]}. '
                             "Leave `channels` out, or use decoder=dict(type='UpsampleDecoder').")
        # torch refuses `max_unpool2d` in deterministic mode, although no two maxima share a place here. An export would
        # fix the frame size at that of the traced example.
        if torch.jit.is_tracing() or torch.are_deterministic_algorithms_enabled():
            zeros = torch.zeros_like(skip, dtype=x.dtype)
            return zeros.flatten(2).scatter(2, switch.flatten(2), x.flatten(2)).view_as(skip)
        return F.max_unpool2d(x, switch, 2, output_size=skip.shape[-2:])


@MODELS.register_module()
class UpsampleDecoder(SkipDecoder):
    """Enlarges bilinearly; everything else is as in :class:`SkipDecoder`."""

    def enlarge(self, x: Tensor, skip: Tensor, switch: Tensor | None) -> Tensor:
        """Enlarge ``x`` bilinearly; the switch is not used. See :class:`SkipDecoder`."""
        return F.interpolate(x, size=skip.shape[-2:], mode='bilinear', align_corners=False)
