"""The base class of the loss terms of eq. 10, and checks of their inputs.

Every loss of the generator is a subclass. :class:`~tempseg_mm.models.tempseg_gan.TempSegGAN` calls all of them in the
same way.
"""

import math

from torch import Tensor, nn

from tempseg_mm.structures.clip_batch import ClipBatch, ClipPrediction


class GeneratorLoss(nn.Module):
    """One term of eq. 10. A subclass only picks its tensors, calls its equation and multiplies by its α.

    Args:
        loss_weight: α of this term in eq. 10, at least 0.

    Attributes:
        needs_adversary: whether the term reads ``prediction.fake_logits`` or ``prediction.verdicts``.
        per_frame: whether the term treats each frame separately. If all terms do, online fine-tuning needs no clips.
        needs_flow: whether the term reads ``batch.flow``. Default: True for every loss that is not ``per_frame``. Flow
            is not estimated if no loss needs it and the generator takes no reference masks.

    Raises:
        ValueError: if ``loss_weight`` is negative or not finite.
    """
    needs_adversary: bool = False
    per_frame: bool = False

    @property
    def needs_flow(self) -> bool:
        return not self.per_frame

    def __init__(self, loss_weight: float) -> None:
        super().__init__()
        if not (math.isfinite(loss_weight) and loss_weight >= 0):
            raise ValueError(f'{type(self).__name__}: loss_weight must be finite and at least 0, got {loss_weight}')
        self.loss_weight = loss_weight

    def forward(self, prediction: ClipPrediction, batch: ClipBatch) -> Tensor:
        """Compute the weighted term, a scalar with gradient to ``prediction.logits``."""
        raise NotImplementedError(f'{type(self).__name__} has no forward')

    def extra_repr(self) -> str:
        return f'loss_weight={self.loss_weight}'

    def _from_adversary(self, value: Tensor | None) -> Tensor:
        if value is None:
            raise ValueError(f'{type(self).__name__} needs the verdict of the discriminator on each predicted mask, '
                             'but there is none (prediction.fake_logits is None). Give the model an adversary, or '
                             'remove this loss from its config.')
        return value


def check_same_shape(prediction: Tensor, target: Tensor) -> None:
    """Raise ValueError if the tensors differ in shape, because losses must not broadcast silently."""
    if prediction.shape != target.shape:
        raise ValueError(f'prediction and target must have the same shape, got {tuple(prediction.shape)} '
                         f'and {tuple(target.shape)}')


def check_clip(masks: Tensor) -> None:
    """Raise ValueError unless ``masks`` is (N, T, 1, H, W) with T ≥ 2."""
    if masks.ndim != 5 or masks.shape[2] != 1:
        raise ValueError(f'masks of clips must be (N, T, 1, H, W), got {tuple(masks.shape)}')
    if masks.shape[1] < 2:
        raise ValueError(f'a loss between frames needs clips of at least two frames, got T = {masks.shape[1]}. '
                         'Use longer clips or remove this loss.')
