"""The adversary: mask encoders and discriminator as one module, so that "which optimiser trains E" is answered by the
module tree."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from tempseg_mm.registry import MODELS


class Verdict(NamedTuple):
    """Logits of D, (M,) each, positive for "real"; ``real`` is ``None`` where it was not asked for."""
    fake: Tensor
    real: Tensor | None


@MODELS.register_module()
class Adversary(BaseModule):
    """D(E(Ŷ)) and D(E(Y)), eqs. 2-4.

    Paper note: the paper has "two separate encoders of same configuration", by which D can tell the branches apart
    whatever the masks; ``share_weights=True`` uses one (paper note P4). Eqs. 2-4 feed D one encoded mask, a later
    sentence the pair with the encoded target: ``condition_on_target=True`` (paper note P5).

    Args:
        encoder: config of a mask encoder; gets ``width``.
        discriminator: config of a discriminator; gets ``in_channels`` and ``width``.
        share_weights: one encoder for both branches.
        condition_on_target: D sees (E(X), E(Y)) in place of E(X).
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
        """Judge predicted masks, and the true ones if asked.

        Args:
            pred_masks: (M, 1, H, W) in [0, 1].
            gt_masks: (M, 1, H, W), 0 or 1; only read if needed.
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
    """No graph is built towards ``module``'s parameters inside; gradients still pass through it to its input."""
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)
