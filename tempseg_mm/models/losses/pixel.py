"""Losses on single pixels: L1 of eq. 10 and the cross-entropy of eq. 3. They need only the masks."""

import torch
import torch.nn.functional as F
from torch import Tensor

from tempseg_mm.models.losses.base import GeneratorLoss, check_same_shape
from tempseg_mm.registry import MODELS
from tempseg_mm.structures.clip_batch import ClipBatch, ClipPrediction


def l1_loss(pred: Tensor, gt: Tensor) -> Tensor:
    """Compute L_L1 of eq. 10: the mean of ``|Ŷ - Y|``.

    Args:
        pred: Ŷ, any shape, probabilities in [0, 1].
        gt: Y, same shape, in [0, 1].

    Returns:
        Scalar in [0, 1], the mean over all pixels.

    Raises:
        ValueError: if shapes differ.

    Example:
        >>> l1_loss(torch.tensor([0.25, 1.]), torch.tensor([0., 1.]))
        tensor(0.1250)
    """
    check_same_shape(pred, gt)
    return F.l1_loss(pred, gt)


def bce_loss(logits: Tensor, gt: Tensor) -> Tensor:
    """Compute the first term of eq. 3: BCE(Y, Ŷ). It takes the generator's logits, which is more precise.

    Args:
        logits: any shape, float; Ŷ is their sigmoid.
        gt: Y, same shape, in [0, 1].

    Returns:
        Scalar ≥ 0, the mean over all pixels.

    Raises:
        ValueError: if shapes differ.

    Example:
        >>> bce_loss(torch.tensor([0., 0.]), torch.tensor([0., 1.]))  # log 2
        tensor(0.6931)
    """
    check_same_shape(logits, gt)
    return F.binary_cross_entropy_with_logits(logits, gt)


@MODELS.register_module()
class L1Loss(GeneratorLoss):
    """α_L1 · :func:`l1_loss` between predicted masks and ground truth.

    Args:
        loss_weight: α_L1 of eq. 10.
    """
    per_frame = True

    def __init__(self, loss_weight: float = 0.25) -> None:
        super().__init__(loss_weight)

    def forward(self, prediction: ClipPrediction, batch: ClipBatch) -> Tensor:
        return self.loss_weight * l1_loss(prediction.masks, batch.gt_masks)


@MODELS.register_module()
class BCELoss(GeneratorLoss):
    """α_adv · :func:`bce_loss`: the first term of eq. 3.

    Paper note: eq. 10 weighs this term as part of the adversarial loss, so its weight is α_adv and not an α of its own;
    the second term is :class:`~.adversarial.AdversarialLoss` (paper note P7).

    Args:
        loss_weight: α_adv of eq. 10.
    """
    per_frame = True

    def __init__(self, loss_weight: float = 0.1) -> None:
        super().__init__(loss_weight)

    def forward(self, prediction: ClipPrediction, batch: ClipBatch) -> Tensor:
        logits = prediction.logits
        return self.loss_weight * bce_loss(logits.to(torch.promote_types(logits.dtype, torch.float32)), batch.gt_masks)
