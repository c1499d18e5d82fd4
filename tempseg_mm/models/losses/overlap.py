"""A loss on whole masks: how little prediction and ground truth overlap. Not in the paper; see docs/ablations.md."""

import torch
from torch import Tensor

from tempseg_mm.models.losses.base import GeneratorLoss, check_same_shape
from tempseg_mm.registry import MODELS
from tempseg_mm.structures.clip_batch import ClipBatch, ClipPrediction


def soft_iou_loss(pred: Tensor, gt: Tensor, *, smooth: float = 1.0) -> Tensor:
    """Compute 1 - (Σŷy + smooth) / (Σ(ŷ + y - ŷy) + smooth), the soft form of 1 - J, the mean over masks.

    Every object has the same weight, however few pixels it has; a mean over pixels would not give that. On binary masks
    and without ``smooth`` the loss is 1 - J (Rahman and Wang, 2016).

    Args:
        pred: Ŷ, (..., 1, H, W) float, probabilities in [0, 1].
        gt: Y, same shape, in [0, 1].
        smooth: number of pixels, above 0. It makes the loss 0 where an empty mask is predicted empty.

    Returns:
        Scalar in [0, 1].

    Raises:
        ValueError: if shapes differ, or ``smooth`` is not above 0.

    Example:
        >>> soft_iou_loss(torch.tensor([[[1., 0.5]]]), torch.tensor([[[1., 0.]]]))  # 1 - (1 + 1) / (1.5 + 1)
        tensor(0.2000)
    """
    check_same_shape(pred, gt)
    _check_smooth(smooth)
    dims = (-3, -2, -1)
    both = (pred * gt).sum(dims)
    union = (pred + gt).sum(dims) - both
    return (1 - (both + smooth) / (union + smooth)).mean()


@MODELS.register_module()
class SoftIoULoss(GeneratorLoss):
    """α · :func:`soft_iou_loss` between predicted masks and ground truth.

    Args:
        loss_weight: α of this term.
        smooth: see :func:`soft_iou_loss`.

    Raises:
        ValueError: if ``smooth`` is not above 0.
    """
    per_frame = True

    def __init__(self, loss_weight: float = 1.0, *, smooth: float = 1.0) -> None:
        super().__init__(loss_weight)
        _check_smooth(smooth)
        self.smooth = smooth

    def forward(self, prediction: ClipPrediction, batch: ClipBatch) -> Tensor:
        masks = prediction.masks
        masks = masks.to(torch.promote_types(masks.dtype, torch.float32))  # half precision cannot sum many pixels
        return self.loss_weight * soft_iou_loss(masks, batch.gt_masks, smooth=self.smooth)


def _check_smooth(smooth: float) -> None:
    if not smooth > 0:
        raise ValueError(f'smooth must be above 0, got {smooth}')
