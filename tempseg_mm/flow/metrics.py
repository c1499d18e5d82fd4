"""Errors of a flow: against the exact flow, or against the flow back. Used by ``apis.flow_evaluation``."""

import torch
from torch import Tensor

from tempseg_mm.ops.warp import backward_warp


def end_point_error(flow: Tensor, exact: Tensor) -> Tensor:
    """Return the distance of each vector from the exact one.

    Args:
        flow: (N, 2, H, W) in pixels.
        exact: the same.

    Returns:
        (N, H, W) in pixels.

    Raises:
        ValueError: if shapes differ.
    """
    if flow.shape != exact.shape:
        raise ValueError(f'flow and exact flow must have one shape, got {tuple(flow.shape)} and {tuple(exact.shape)}')
    return torch.linalg.vector_norm(flow - exact, dim=1)


def round_trip_error(forward: Tensor, backward: Tensor) -> tuple[Tensor, Tensor]:
    """Return how far each pixel ends from its start after moving to frame t+1 and back: ``|f(p) + b(p + f(p))|``.

    A pixel that is visible in only one of the frames cannot come back. Therefore the share of pixels that do come back
    is compared, not the mean error. A pixel comes back by the rule of Sundaram et al. (ECCV 2010)::

        |f + b|² < 0.01 (|f|² + |b|²) + 0.5

    Args:
        forward: f, (N, 2, H, W), from frame t to t+1, in pixels.
        backward: b, the same from t+1 to t.

    Returns:
        The error, (N, H, W) in pixels, and True where the pixel comes back, (N, H, W) bool.

    Raises:
        ValueError: if shapes do not match.
    """
    back = backward_warp(backward, forward)
    error = (forward + back).square().sum(1)
    return error.sqrt(), error < 0.01 * (forward.square().sum(1) + back.square().sum(1)) + 0.5
