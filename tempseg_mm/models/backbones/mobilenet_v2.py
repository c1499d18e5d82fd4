"""MobileNetV2 as the contracting path: the light backbone for a CPU. It has no pooling, so it gives no switches."""

from collections.abc import Iterator

from mmengine.model import BaseModule, kaiming_init
from torch import Tensor, nn

from tempseg_mm.registry import MODELS

from .features import Features

STEM = 32
# Expansion, maps, blocks, stride of the first block; from Table 2 of Sandler et al.
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
OUTPUT_STRIDES = (16, 32)


@MODELS.register_module()
class MobileNetV2Backbone(BaseModule):
    """The 17 inverted residuals of MobileNetV2 (Sandler et al., 2018), without its last 1x1 convolution.

    The skips are the last maps at 1/2, 1/4 and 1/8 of the resolution, and with ``output_stride`` 32 also at 1/16. No
    skip has the full resolution. The decoder must work without switches: ``UpsampleDecoder``.

    Parameters have the names of torchvision's ``mobilenet_v2``, so its weights fit at ``width`` 1
    (see :class:`~tempseg_mm.models.backbones.imagenet_weights.ImageNetWeights`).

    Args:
        in_channels: 3 for RGB, 4 with a reference mask.
        width: multiplies every number of maps.
        output_stride: 32 as published, or 16. With 16, ``features.14`` does not halve the resolution, and the depthwise
            convolutions after it are dilated by 2, so that their weights see the same area of the frame (DeepLab's
            atrous convolution).
        dropout: dropout rate after the last layer.
        norm_eval: if True, batch normalisation uses its running statistics in training too, and does not update them.
            The statistics of published weights are better than those of the few scenes in a small batch.

    Raises:
        ValueError: if ``output_stride`` is neither 16 nor 32.
    """

    unused_weights = ('features.18.', 'classifier.')

    def __init__(self, in_channels: int = 3, *, width: float = 1.0, output_stride: int = 32, dropout: float = 0.5,
                 norm_eval: bool = False, init_cfg=None) -> None:
        super().__init__(init_cfg)
        if output_stride not in OUTPUT_STRIDES:
            raise ValueError(f'output_stride must be one of {OUTPUT_STRIDES}, got {output_stride!r}')
        channels = max(1, round(STEM * width))
        layers, skip_channels = [_conv_bn_relu(in_channels, channels, 3, stride=2)], []
        self._skip_before = []  # indices of the layers that halve the resolution
        for expansion, maps, stride, dilation in _plan(output_stride):
            if stride == 2:
                self._skip_before.append(len(layers))
                skip_channels.append(channels)
            c_in, channels = channels, max(1, round(maps * width))
            layers.append(_InvertedResidual(c_in, channels, expansion, stride=stride, dilation=dilation))
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)
        self.skip_channels = tuple(skip_channels)
        self.bottom_channels = channels
        self.stride = output_stride
        self.norm_eval = norm_eval
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Initialise the convolutions after He et al. (2015), as published."""
        for module in self.features.modules():
            if isinstance(module, nn.Conv2d):
                kaiming_init(module)

    def train(self, mode: bool = True) -> 'MobileNetV2Backbone':
        """Set the mode as ``nn.Module`` does; with ``norm_eval``, batch normalisation stays in eval mode."""
        super().train(mode)
        if self.norm_eval:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def forward(self, x: Tensor) -> Features:
        """Compute the features, without switches, of (B, in_channels, H, W); H and W are multiples of ``stride``."""
        skips = []
        for index, layer in enumerate(self.features):
            if index in self._skip_before:
                skips.append(x)
            x = layer(x)
        return Features(self.dropout(x), tuple(skips))


def _plan(output_stride: int) -> Iterator[tuple]:
    """Yield (expansion, maps, stride, dilation) of each inverted residual."""
    reached, dilation = 2, 1
    for expansion, maps, blocks, first_stride in STAGES:
        for stride in (first_stride, *[1] * (blocks - 1)):
            halves = stride == 2 and reached < output_stride
            yield expansion, maps, 2 if halves else 1, dilation
            if halves:
                reached *= 2
            elif stride == 2:
                dilation *= 2


class _InvertedResidual(nn.Module):
    """Widens by 1x1, filters each map by 3x3, narrows by 1x1 without non-linearity; adds the input if sizes match."""

    def __init__(self, c_in: int, c_out: int, expansion: int, *, stride: int, dilation: int) -> None:
        super().__init__()
        hidden = expansion * c_in
        widen = [] if expansion == 1 else [_conv_bn_relu(c_in, hidden, 1)]
        self.conv = nn.Sequential(
            *widen, _conv_bn_relu(hidden, hidden, 3, stride=stride, dilation=dilation, groups=hidden),
            nn.Conv2d(hidden, c_out, 1, bias=False), nn.BatchNorm2d(c_out))
        self.adds_input = stride == 1 and c_in == c_out

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.adds_input else self.conv(x)


def _conv_bn_relu(c_in: int, c_out: int, kernel: int, *, stride: int = 1, dilation: int = 1,
                  groups: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(c_in, c_out, kernel, stride, dilation * (kernel // 2), dilation, groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(c_out), nn.ReLU6(inplace=True))
