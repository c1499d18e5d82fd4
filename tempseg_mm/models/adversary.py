"""The adversary of Table A.1. One module holds encoders and discriminator, so one optimiser trains both."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn

from tempseg_mm.registry import MODELS


@MODELS.register_module()
class MaskEncoder(BaseModule):
    """Three layers of convolution, ReLU and 2x2 max-pooling: (M, 1, H, W) -> (M, 256, H/8, W/8) at full width.

    Args:
        width: multiplies every number of maps.
        channels: number of maps of each layer.
        kernel_sizes: kernel size of each layer.
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
        """Encode masks (M, 1, H, W) in [0, 1], H and W at least 8, as (M, out_channels, H//8, W//8)."""
        for layer in self.layers:
            # ReLU after the pooling gives the same values for a quarter of the work.
            masks = F.relu(F.max_pool2d(layer(masks), 2))
        return masks


@MODELS.register_module()
class ConvDiscriminator(BaseModule):
    """Three convolutions with ReLU, adaptive average pooling, fully connected layers, one logit.

    Paper note: fully connected layers need a fixed size, so maps are averaged to ``pool_size`` before them. The paper
    gives no strides; 2 in the 5x5 layers keeps an adversarial step affordable. ``strides=(1, 1, 1)`` is the other
    reading (paper note P6).

    Args:
        in_channels: maps of the encoded mask, or twice as many when D is conditioned on the target.
        width: multiplies the number of maps and units of every layer except the last.
        channels: number of maps of each convolution.
        kernel_sizes: kernel size of each convolution.
        strides: stride of each convolution.
        pool_size: side of the grid to which the maps are averaged.
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
        """Return (M,) logits for encoded masks (M, in_channels, h, w); a positive logit means "real"."""
        return self.to_logit(self.hidden(self.pool(self.convs(encoded)).flatten(1))).squeeze(1)


class Verdict(NamedTuple):
    """Logits of D, (M,) each; a positive logit means "real". ``real`` is ``None`` if D did not judge the true masks."""
    fake: Tensor
    real: Tensor | None


@MODELS.register_module()
class Adversary(BaseModule):
    """Computes D(E(Ŷ)) and D(E(Y)) of eqs. 2-4.

    Paper note: the paper has "two separate encoders of same configuration", by which D can tell the branches apart
    whatever the masks; ``share_weights=True`` uses one (paper note P4). Eqs. 2-4 feed D one encoded mask, a later
    sentence the pair with the encoded target: ``condition_on_target=True`` (paper note P5).

    Args:
        encoder: config of a mask encoder; ``width`` is added.
        discriminator: config of a discriminator; ``in_channels`` and ``width`` are added.
        share_weights: use one encoder for both branches.
        condition_on_target: give D the pair (E(X), E(Y)) instead of E(X).
        width: multiplies the maps of every layer.
    """

    def __init__(self, encoder: dict, discriminator: dict, *, share_weights: bool = False,
                 condition_on_target: bool = False, width: float = 1.0, init_cfg=None) -> None:
        super().__init__(init_cfg)
        self.fake_encoder = MODELS.build({**encoder, 'width': width})
        self.real_encoder = self.fake_encoder if share_weights else MODELS.build({**encoder, 'width': width})
        self.condition_on_target = condition_on_target
        in_channels = self.fake_encoder.out_channels * (1 + condition_on_target)
        self.discriminator = MODELS.build({**discriminator, 'in_channels': in_channels, 'width': width})

    def forward(self, pred_masks: Tensor, gt_masks: Tensor, *, judge_real: bool) -> Verdict:
        """Judge predicted masks, and the true masks if ``judge_real``.

        Args:
            pred_masks: (M, 1, H, W) in [0, 1].
            gt_masks: (M, 1, H, W), 0 or 1; read only if ``judge_real`` or ``condition_on_target``.
            judge_real: whether D also judges ``gt_masks``.
        """
        fake = self.fake_encoder(pred_masks)
        target = self.real_encoder(gt_masks) if judge_real or self.condition_on_target else None
        judged = [fake, target] if judge_real else [fake]
        if self.condition_on_target:
            judged = [torch.cat([encoded, target], dim=1) for encoded in judged]
        logits = self.discriminator(torch.cat(judged)).split(len(pred_masks))
        return Verdict(logits[0], logits[1] if judge_real else None)


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Freeze the parameters of ``module`` inside the context; gradients still pass through it to its input."""
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)
