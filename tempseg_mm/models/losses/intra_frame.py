"""The intra-frame temporal losses: IFTL between neighbouring frames (eq. 8), L-IFTL from the first frame (eq. 9).

The half-step of the generator uses them. They need the verdicts of the discriminator on the predicted masks.
"""

import torch
from torch import Tensor

from tempseg_mm.models.losses.base import GeneratorLoss, check_clip, check_same_shape
from tempseg_mm.registry import MODELS
from tempseg_mm.structures.clip_batch import ClipBatch, ClipPrediction


def mask_distance(a: Tensor, b: Tensor, *, normalize: bool = True) -> Tensor:
    """Compute d of eqs. 8 and 9: the Euclidean distance of two whole masks.

    Paper note: the paper's distance grows with the frame (hundreds at 480p) and would drown every other term; by
    default it is divided by √(H·W), hence the root mean square of the difference. ``normalize=False`` is the literal
    one (paper note P11). At d = 0, where the root has no slope, the gradient is 0.

    Args:
        a: (..., 1, H, W) float in [0, 1].
        b: same shape.
        normalize: divide by √(H·W).

    Returns:
        (...) float: in [0, 1] if ``normalize``, else in [0, √(H·W)].

    Raises:
        ValueError: if shapes differ.

    Example:
        >>> a, b = torch.zeros(1, 1, 2, 2), torch.tensor([[[[1., 0.], [0., 0.]]]])
        >>> mask_distance(a, b), mask_distance(a, b, normalize=False)
        (tensor([0.5000]), tensor([1.]))
    """
    check_same_shape(a, b)
    distance = torch.linalg.vector_norm(a - b, dim=(-3, -2, -1))
    return distance / a.shape[-3:].numel() ** 0.5 if normalize else distance


def hinge_distance(a: Tensor, b: Tensor, agreement: Tensor, *, delta: float = 0.1, normalize: bool = True) -> Tensor:
    """Compute d_δ of eqs. 8 and 9: q·d(a, b) + (1 - q)·max(0, δ - d(a, b)).

    If D takes both masks for real (q = 1), the loss draws them together. Otherwise it pushes them apart up to the
    distance δ.

    Paper note: δ is not given; 0.1 suits the normalised distance (paper note P11).

    Args:
        a: (..., 1, H, W) float in [0, 1].
        b: same shape.
        agreement: q, (...) bool or 0/1: the product of the two verdicts.
        delta: δ, at least 0, in the unit of the distance.
        normalize: see :func:`mask_distance`.

    Returns:
        (...) float ≥ 0.

    Raises:
        ValueError: if shapes do not match or ``delta`` < 0.

    Example:
        >>> a, b = torch.zeros(2, 1, 2, 2), torch.full((2, 1, 2, 2), 0.02)
        >>> hinge_distance(a, b, torch.tensor([True, False]))
        tensor([0.0200, 0.0800])
    """
    _check_delta(delta)
    distance = mask_distance(a, b, normalize=normalize)
    if agreement.shape != distance.shape:
        raise ValueError(f'agreement must hold one value per pair {tuple(distance.shape)}, '
                         f'got {tuple(agreement.shape)}')
    agreement = agreement.detach().to(distance.dtype)
    return agreement * distance + (1 - agreement) * (delta - distance).clamp(min=0)


def iftl(masks: Tensor, verdicts: Tensor, *, delta: float = 0.1, normalize: bool = True,
         reduction: str = 'mean') -> Tensor:
    """Compute L_IFTL (eq. 8): Σ_t d_δ(Ŷ_t, Ŷ_{t+1}, q_t·q_{t+1}) over the neighbouring frames of a clip.

    Paper note: by default the T-1 pairs are averaged, so that α does not depend on the length of the clips;
    ``reduction='sum'`` with ``normalize=False`` is the literal equation (paper note P11). Clips are averaged in both.

    Args:
        masks: Ŷ, (N, T, 1, H, W) float in [0, 1], T ≥ 2.
        verdicts: q, (N, T) bool or 0/1: whether D takes each mask for real. Gets no gradient (paper note P12).
        delta: δ, see :func:`hinge_distance`.
        normalize: see :func:`mask_distance`.
        reduction: over the pairs of a clip: ``'mean'`` or ``'sum'``.

    Returns:
        Scalar ≥ 0.

    Raises:
        ValueError: if shapes do not match, T < 2, ``delta`` < 0, or ``reduction`` is unknown.

    Example:
        >>> masks = torch.tensor([0., 0.5, 0.5]).view(1, 3, 1, 1, 1)
        >>> iftl(masks, torch.tensor([[True, True, False]]))  # (0.5 + max(0, 0.1 - 0)) / 2
        tensor(0.3000)
    """
    _check_verdicts(masks, verdicts)
    pairs = hinge_distance(masks[:, :-1], masks[:, 1:], verdicts[:, :-1] * verdicts[:, 1:], delta=delta,
                           normalize=normalize)
    return _reduce(pairs, reduction)


def l_iftl(masks: Tensor, verdicts: Tensor, *, delta: float = 0.1, normalize: bool = True,
           reduction: str = 'mean') -> Tensor:
    """Compute L_L-IFTL (eq. 9): Σ_t d_δ(Ŷ_0, Ŷ_t, q_0·q_t) from the first frame of a clip to each later frame.

    Arguments, result, errors and paper note are those of :func:`iftl`.

    Example:
        >>> masks = torch.tensor([0., 0.5, 0.25]).view(1, 3, 1, 1, 1)
        >>> l_iftl(masks, torch.tensor([[True, True, True]]))  # (0.5 + 0.25) / 2
        tensor(0.3750)
    """
    _check_verdicts(masks, verdicts)
    later = masks[:, 1:]
    pairs = hinge_distance(masks[:, :1].expand_as(later), later, verdicts[:, :1] * verdicts[:, 1:], delta=delta,
                           normalize=normalize)
    return _reduce(pairs, reduction)


class _IntraFrameLoss(GeneratorLoss):
    needs_adversary = True
    needs_flow = False  # masks are compared without moving them

    def __init__(self, loss_weight: float = 0.25, *, delta: float = 0.1, normalize: bool = True,
                 reduction: str = 'mean') -> None:
        super().__init__(loss_weight)
        _check_delta(delta)
        _check_reduction(reduction)
        self.options = dict(delta=delta, normalize=normalize, reduction=reduction)


@MODELS.register_module()
class IFTLoss(_IntraFrameLoss):
    """α_IFTL · :func:`iftl` of the predicted masks and the verdicts of the discriminator.

    Args:
        loss_weight: α_IFTL of eq. 10.
        delta: δ of eq. 8.
        normalize: see :func:`mask_distance`.
        reduction: ``'mean'`` or ``'sum'`` over the pairs of a clip.

    Raises:
        ValueError: if ``delta`` < 0 or ``reduction`` is unknown.
    """

    def forward(self, prediction: ClipPrediction, batch: ClipBatch) -> Tensor:
        return self.loss_weight * iftl(prediction.masks, self._from_adversary(prediction.verdicts), **self.options)


@MODELS.register_module()
class LongRangeIFTLoss(_IntraFrameLoss):
    """α_L-IFTL · :func:`l_iftl` of the predicted masks and the verdicts of the discriminator.

    Arguments and errors are those of :class:`IFTLoss`, with α_L-IFTL of eq. 10 and δ of eq. 9.
    """

    def forward(self, prediction: ClipPrediction, batch: ClipBatch) -> Tensor:
        return self.loss_weight * l_iftl(prediction.masks, self._from_adversary(prediction.verdicts), **self.options)


def _reduce(pairs: Tensor, reduction: str) -> Tensor:
    """Reduce [N, pairs] to a scalar."""
    _check_reduction(reduction)
    return (pairs.sum(1) if reduction == 'sum' else pairs.mean(1)).mean()


def _check_verdicts(masks: Tensor, verdicts: Tensor) -> None:
    check_clip(masks)
    if verdicts.shape != masks.shape[:2]:
        raise ValueError(f'verdicts must be (N, T) = {tuple(masks.shape[:2])}, got {tuple(verdicts.shape)}')


def _check_delta(delta: float) -> None:
    if not delta >= 0:
        raise ValueError(f'delta must be at least 0, got {delta}')


def _check_reduction(reduction: str) -> None:
    if reduction not in ('mean', 'sum'):
        raise ValueError(f"reduction must be 'mean' or 'sum', got {reduction!r}")
