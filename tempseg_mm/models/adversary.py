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
        """Encode masks (M, 1, H, W) in [0, 1] as (M, out_channels, H//8, W//8).

        Raises:
            ValueError: if a side is below 8 pixels, which three poolings need. Other numbers of layers need 2 to their
                power.
        """
        least = 2 ** len(self.layers)
        if min(masks.shape[-2:]) < least:
            raise ValueError(f'MaskEncoder needs masks of at least {least}x{least} pixels, got '
                             f'{masks.shape[-2]}x{masks.shape[-1]}. Use larger frames, or a smaller '
                             '`model.adversary.downsample` if it is above 1.')
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
        self.pool_size = pool_size
        self.hidden = nn.Sequential(*(
            nn.Sequential(nn.Linear(u_in, u_out), nn.ReLU(inplace=True))
            for u_in, u_out in zip([maps[-1] * pool_size**2, *hidden], hidden)))
        self.to_logit = nn.Linear(hidden[-1], 1)

    def forward(self, encoded: Tensor) -> Tensor:
        """Return (M,) logits for encoded masks (M, in_channels, h, w); a positive logit means "real"."""
        maps = self.convs(encoded)
        # CUDA has no deterministic gradient of adaptive average pooling, MPS no grid that does not divide the sides.
        products = maps.is_cuda and torch.are_deterministic_algorithms_enabled() or maps.device.type == 'mps'
        grid = (adaptive_mean if products else F.adaptive_avg_pool2d)(maps, self.pool_size)
        return self.to_logit(self.hidden(grid.flatten(1))).squeeze(1)


def adaptive_mean(maps: Tensor, size: int) -> Tensor:
    """Compute ``F.adaptive_avg_pool2d(maps, size)`` by matrix products, whose gradient every device has.

    Cell i of n averages the pixels from ``floor(i·side/n)`` to ``ceil((i + 1)·side/n) - 1``. Neighbouring cells share
    pixels if n does not divide the side.

    Args:
        maps: (M, C, h, w) float.
        size: n, side of the grid.

    Returns:
        (M, C, n, n), dtype of ``maps``.
    """
    rows, columns = (_cells(side, size, maps) for side in maps.shape[-2:])  # [n, h], [n, w]
    pixels = rows.sum(1)[:, None] * columns.sum(1)
    return rows @ maps @ columns.T / pixels


def _cells(side: int, size: int, like: Tensor) -> Tensor:
    """Return (size, side): 1 for the pixels of each cell, else 0. It is made on the device, so no copy waits."""
    pixel = torch.arange(side, device=like.device)
    cell = torch.arange(size, device=like.device)[:, None]
    return ((pixel + 1) * size > cell * side).logical_and(pixel * size < (cell + 1) * side).to(like.dtype)


class Verdict(NamedTuple):
    """Logits of D, (M,) each; a positive logit means "real". ``real`` is ``None`` if D did not judge the true masks."""
    fake: Tensor
    real: Tensor | None


@MODELS.register_module()
class Adversary(BaseModule):
    """Computes D(E(Ŷ)) and D(E(Y)) of eqs. 2-4.

    Paper note: the paper has "two separate encoders of same configuration", by which D can tell the branches apart
    whatever the masks; ``share_weights=True`` uses one (paper note P4). Eqs. 2-4 feed D one encoded mask, a later
    sentence the pair with the encoded target: ``condition_on_target=True`` (paper note P5). The paper says nothing of
    the size of the masks that are encoded; ``downsample=1`` encodes them as they are (paper note P3).

    Args:
        encoder: config of a mask encoder; ``width`` is added.
        discriminator: config of a discriminator; ``in_channels`` and ``width`` are added.
        share_weights: use one encoder for both branches.
        condition_on_target: give D the pair (E(X), E(Y)) instead of E(X).
        downsample: side of the squares of pixels over which masks are averaged before E, at least 1. D then costs
            about its square less. At 1, masks stay as they are.
        width: multiplies the maps of every layer.

    Raises:
        ValueError: if ``downsample`` is not a whole number of at least 1.
    """

    def __init__(self, encoder: dict, discriminator: dict, *, share_weights: bool = False,
                 condition_on_target: bool = False, downsample: int = 1, width: float = 1.0, init_cfg=None) -> None:
        super().__init__(init_cfg)
        if not (isinstance(downsample, int) and downsample >= 1):
            raise ValueError(f'downsample must be a whole number of at least 1, got {downsample!r}; 1 shows D the '
                             'masks as they are')
        self.downsample = downsample
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
        fake = self.fake_encoder(self._smaller(pred_masks))
        target = self.real_encoder(self._smaller(gt_masks)) if judge_real or self.condition_on_target else None
        judged = [fake, target] if judge_real else [fake]
        if self.condition_on_target:
            judged = [torch.cat([encoded, target], dim=1) for encoded in judged]
        logits = self.discriminator(torch.cat(judged)).split(len(pred_masks))
        return Verdict(logits[0], logits[1] if judge_real else None)

    def _smaller(self, masks: Tensor) -> Tensor:
        """Average masks (M, 1, H, W) to (M, 1, ceil(H/d), ceil(W/d)); squares at the border count their pixels only."""
        if self.downsample == 1:
            return masks
        return F.avg_pool2d(masks, self.downsample, ceil_mode=True, count_include_pad=False)


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
