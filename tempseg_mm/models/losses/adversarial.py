"""The adversarial losses, eqs. 3 and 4: a loss term for the generator, and the loss of the discriminator."""

import torch
import torch.nn.functional as F
from torch import Tensor

from tempseg_mm.models.losses.base import GeneratorLoss
from tempseg_mm.registry import MODELS
from tempseg_mm.structures.clip_batch import ClipBatch, ClipPrediction


def generator_adversarial_loss(fake_logits: Tensor) -> Tensor:
    """Compute the second term of eq. 3: BCE(1, D(E(Ŷ))). It is small if D takes the predicted masks for real.

    Paper note: this is the non-saturating form that eq. 3 itself prints, not the minimax form of eq. 1.

    Args:
        fake_logits: logits of D for predicted masks, any shape, float; a positive logit means "real".

    Returns:
        Scalar ≥ 0, the mean over all masks.

    Example:
        >>> generator_adversarial_loss(torch.tensor([0.]))  # D undecided: log 2
        tensor(0.6931)
    """
    return F.binary_cross_entropy_with_logits(fake_logits, torch.ones_like(fake_logits))


def discriminator_adversarial_loss(real_logits: Tensor, fake_logits: Tensor) -> tuple[Tensor, Tensor]:
    """Compute eq. 4: BCE(1, D(E(Y))) and BCE(0, D(E(Ŷ))). Both are logged separately; the loss is their sum.

    Args:
        real_logits: logits of D for ground-truth masks, any shape, float.
        fake_logits: logits of D for predicted masks, any shape, float. The caller must detach Ŷ.

    Returns:
        The real and the fake term, scalars ≥ 0, each the mean over its masks.

    Example:
        >>> discriminator_adversarial_loss(torch.tensor([0.]), torch.tensor([0.]))
        (tensor(0.6931), tensor(0.6931))
    """
    real = F.binary_cross_entropy_with_logits(real_logits, torch.ones_like(real_logits))
    fake = F.binary_cross_entropy_with_logits(fake_logits, torch.zeros_like(fake_logits))
    return real, fake


@MODELS.register_module()
class AdversarialLoss(GeneratorLoss):
    """α_adv · λ · :func:`generator_adversarial_loss`: the second term of eq. 3.

    Paper note: the paper's adversarial loss (eq. 3) is BCE(Y, Ŷ) + λ·BCE(1, D(E(Ŷ))), weighted by α_adv = 0.1. Here its
    two terms are two losses, so that each is logged and can be removed: :class:`~.pixel.BCELoss` with
    ``loss_weight`` α_adv, and this one with ``loss_weight`` α_adv·λ. λ is not given; the default takes 1 (paper
    note P7).

    Args:
        loss_weight: α_adv · λ.
    """
    needs_adversary = True
    per_frame = True

    def __init__(self, loss_weight: float = 0.1) -> None:
        super().__init__(loss_weight)

    def forward(self, prediction: ClipPrediction, batch: ClipBatch) -> Tensor:
        return self.loss_weight * generator_adversarial_loss(self._from_adversary(prediction.fake_logits))
