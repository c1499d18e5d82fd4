"""How good a flow is: against the exact one, or against itself backwards. Used by ``apis.flow_evaluation``."""

import torch
from torch import Tensor

from tempseg_mm.ops.warp import backward_warp


def end_point_error(flow: Tensor, exact: Tensor) -> Tensor:
    """Distance of each vector from the exact one.

    Args:
        flow: (N, 2, H, W) in pixels.
        exact: the same.

    Returns:
        (N, H, W) in pixels.

    Raises:
        ValueError: if shapes differ.
    """
    if flow.shape != exact.shape:
        raise ValueError(f'flow is {tuple(flow.shape)}, the exact one {tuple(exact.shape)}; they must agree')
    return torch.linalg.vector_norm(flow - exact, dim=1)


def round_trip_error(forward: Tensor, backward: Tensor) -> tuple[Tensor, Tensor]:
    """How far each pixel ends from where it began, carried to frame t+1 and back: |f(p) + b(p + f(p))|.

    A pixel that is seen in one frame only cannot come back; so the share of those that do is compared, not their mean.
    They do by the rule of Sundaram et al. (ECCV 2010): |f + b|² < 0.01 (|f|² + |b|²) + 0.5.

    Args:
        forward: f, (N, 2, H, W), from frame t to t+1, in pixels.
        backward: b, the same from t+1 to t.

    Returns:
        The error, (N, H, W) in pixels, and whether it is small enough, (N, H, W) bool.

    Raises:
        ValueError: if shapes do not match.
    """
    back = backward_warp(backward, forward)
    error = (forward + back).square().sum(1)
    return error.sqrt(), error < 0.01 * (forward.square().sum(1) + back.square().sum(1)) + 0.5
