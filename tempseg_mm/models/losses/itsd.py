"""The inter-frame temporal symmetric-difference loss (eqs. 5-7, Algorithms 1 and 2).

The half-step of the generator uses the loss, and training pictures show its warped targets. The patches come from
:mod:`tempseg_mm.ops.patches`.
"""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from tempseg_mm.models.losses.base import GeneratorLoss, check_clip, check_same_shape
from tempseg_mm.ops.patches import check_patch_size, halo_splat, patch_sums
from tempseg_mm.registry import MODELS
from tempseg_mm.structures.clip_batch import ClipBatch, ClipPrediction


def itsd_score(pred_labels: Tensor, warped_labels: Tensor, patch_size: int = 4) -> Tensor:
    """Compute Score_ITSD of Algorithm 2 on hard labels: per patch, the mispredicted share ``|M| / |{p̂ = 1} ∪ M|``.

    M is the symmetric difference of prediction and target (eq. 5). Its union with {p̂ = 1} is the union of the two
    masks, so the score of a patch (eq. 6) is 1 - IoU.

    Paper note: line 16 of Algorithm 2 divides by ``[s/s]²``, read as the number of patches; a patch empty in both masks
    (0/0) counts 0; at sides that are no multiple of s both masks are padded with zeros (paper note P9).

    Args:
        pred_labels: the thresholded Ŷ(t), (..., 1, H, W) bool, or numbers that are 0 or 1.
        warped_labels: the target P*(t), same shape and kind, see :func:`itsd_target`.
        patch_size: side s of a patch in pixels.

    Returns:
        (...) float32 in [0, 1], the mean over the patches of each mask.

    Raises:
        ValueError: if shapes differ, the channel dimension is missing or not 1, or ``patch_size`` < 1.

    Example:
        Two patches of 2×2: in the left one 1 pixel of 2 is wrong, the right one is empty.

        >>> pred = torch.tensor([[[[1, 1, 0, 0], [0, 0, 0, 0]]]])
        >>> warped = torch.tensor([[[[1, 0, 0, 0], [0, 0, 0, 0]]]])
        >>> itsd_score(pred, warped, 2)  # (1/2 + 0) / 2
        tensor([0.2500])
    """
    _check_masks(pred_labels, warped_labels, patch_size)
    predicted, target = pred_labels > 0, warped_labels > 0
    mispredicted, union = (patch_sums(_flat(x).float(), patch_size) for x in (predicted ^ target, predicted | target))
    return (mispredicted / union.clamp(min=1)).flatten(1).mean(1).view(pred_labels.shape[:-3])


def itsd_loss(pred: Tensor, warped: Tensor, patch_size: int = 4, smooth: float = 0.0) -> Tensor:
    """Compute L_ITSDL (eq. 7): the soft form of :func:`itsd_score`, the mean over patches and masks.

    Each patch counts Σ(p* + p̂ - 2p*p̂) / (Σ(p* + p̂ - p*p̂) + smooth); on binary masks that is the score.

    Paper note: counts of hard labels have no gradient, hence the soft form (paper note P9). 0/0 counts 0, with zero
    gradient; so does a patch whose union is below rounding (1e-19 in float32). With ``smooth`` 0, the literal
    equation, a patch without a target pixel scores 1 for any p̂ > 0, however small, and has *no gradient*: such false
    positives are left to the other losses. ``smooth`` > 0 (1 is one pixel) gives these patches a score that grows
    with p̂.

    Args:
        pred: Ŷ(t), (..., 1, H, W) float, probabilities in [0, 1]. Half precision is raised to float32.
        warped: the target P*(t), same shape, in [0, 1]. Gets no gradient.
        patch_size: side s of a patch in pixels.
        smooth: number of pixels added to the denominator, at least 0.

    Returns:
        Scalar in [0, 1].

    Raises:
        ValueError: if shapes differ, the channel dimension is missing or not 1, ``patch_size`` < 1 or ``smooth`` < 0.

    Example:
        >>> pred = torch.tensor([[[[1., .5, 0., 0.], [0., 0., 0., 0.]]]])
        >>> warped = torch.tensor([[[[1., 0., 0., 0.], [0., 0., 0., 0.]]]])
        >>> itsd_loss(pred, warped, 2)  # (0.5/1.5 + 0) / 2
        tensor(0.1667)
    """
    _check_masks(pred, warped, patch_size)
    if not smooth >= 0:
        raise ValueError(f'smooth must be at least 0, got {smooth}')
    pred = _flat(pred).to(torch.promote_types(pred.dtype, torch.float32))
    warped = _flat(warped).detach().to(pred.dtype)
    alone, both = _PatchSums.apply(pred, warped, patch_size)
    total = alone + patch_sums(warped, patch_size)
    union = total - both + smooth
    empty = union < torch.finfo(union.dtype).tiny ** 0.5  # smaller: 1 / union leaves the range of the dtype
    return ((total - 2 * both) / union.masked_fill(empty, 1)).masked_fill(empty, 0).mean()


@torch.no_grad()
def itsd_target(gt_masks: Tensor, flow: Tensor, patch_size: int = 4) -> Tensor:
    """Compute the warped targets P*: the ground truth of frame t-1, moved along the flow to frame t, patch by patch.

    Args:
        gt_masks: Y, (N, T, 1, H, W), 0 or 1; the last frame is not read.
        flow: (N, T-1, 2, H, W) float, pixels, forward.
        patch_size: side s of a patch in pixels.

    Returns:
        (N, T-1, 1, H, W), dtype of ``gt_masks``: entry t is the target of frame t+1. See
        :func:`~tempseg_mm.ops.patches.halo_splat`.

    Raises:
        ValueError: if the shapes do not match or T < 2.
    """
    check_clip(gt_masks)
    n, t, _, height, width = gt_masks.shape
    if flow.shape != (n, t - 1, 2, height, width):
        raise ValueError(f'flow of masks {tuple(gt_masks.shape)} must be {(n, t - 1, 2, height, width)}, '
                         f'got {tuple(flow.shape)}')
    target = halo_splat(gt_masks[:, :-1].flatten(0, 1), flow.flatten(0, 1), patch_size)  # [N(T-1), 1, H, W]
    return target.unflatten(0, (n, t - 1))


@MODELS.register_module()
class ITSDLoss(GeneratorLoss):
    """α_ITSDL · :func:`itsd_loss` of the predicted masks 1 … T-1 and the ground truth of the previous frame, moved.

    Paper note: Figure 1 has the ground truth at t and the prediction at t-1; Algorithm 2, which rules here, has them
    the other way round (paper note P9).

    Args:
        loss_weight: α_ITSDL of eq. 10.
        patch_size: s of eq. 6; the paper takes 1 < s ≤ 4.
        smooth: see :func:`itsd_loss`; 0 is the literal equation.

    Raises:
        ValueError: if ``patch_size`` < 1 or ``smooth`` < 0.
    """

    def __init__(self, loss_weight: float = 0.25, *, patch_size: int = 4, smooth: float = 0.0) -> None:
        super().__init__(loss_weight)
        check_patch_size(patch_size)
        if not smooth >= 0:
            raise ValueError(f'smooth must be at least 0, got {smooth}')
        self.patch_size = patch_size
        self.smooth = smooth

    def forward(self, prediction: ClipPrediction, batch: ClipBatch) -> Tensor:
        target = itsd_target(batch.gt_masks, batch.flow, self.patch_size)
        return self.loss_weight * itsd_loss(prediction.masks[:, 1:], target, self.patch_size, self.smooth)


class _PatchSums(torch.autograd.Function):
    """Computes Σp̂ and Σp*p̂ of every patch, (M, 1, ceil(H/s), ceil(W/s)) each, for p̂ and p* (M, 1, H, W).

    The class exists for its gradient: g + p*·g' of the patch that contains the pixel, written to one buffer in one
    pass. Autograd would fill five buffers.
    """

    @staticmethod
    def forward(ctx, pred: Tensor, warped: Tensor, size: int) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(warped)
        ctx.size = size
        return patch_sums(pred, size), patch_sums(pred * warped, size)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_alone: Tensor, grad_both: Tensor) -> tuple[Tensor, None, None]:
        warped, = ctx.saved_tensors
        height, width = warped.shape[-2:]
        rows = F.pad(warped, (0, 0, 0, -height % ctx.size)).unflatten(2, (-1, ctx.size))  # [M, 1, H/s, s, W]
        wide_alone, wide_both = (g.repeat_interleave(ctx.size, -1)[..., None, :width] for g in (grad_alone, grad_both))
        return torch.addcmul(wide_alone, rows, wide_both).flatten(2, 3)[:, :, :height], None, None


def _flat(masks: Tensor) -> Tensor:
    """Reshape [..., 1, H, W] to [M, 1, H, W]."""
    return masks.reshape(-1, *masks.shape[-3:])


def _check_masks(pred: Tensor, warped: Tensor, patch_size: int) -> None:
    check_same_shape(pred, warped)
    check_patch_size(patch_size)
    if pred.ndim < 4 or pred.shape[-3] != 1:
        raise ValueError(f'masks must be (..., 1, H, W), got {tuple(pred.shape)}')
