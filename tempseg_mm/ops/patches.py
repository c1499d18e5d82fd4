"""The geometry of Algorithm 2: s×s patches that do not overlap, and the halo windows their targets are built from.

Used by the ITSD loss and its pictures; relies on :mod:`tempseg_mm.ops.warp` for the splat and the flow convention.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from tempseg_mm.ops.warp import check_flow, splat_within


def halo_splat(labels: Tensor, flow: Tensor, patch_size: int = 4, *, halo: int = 2) -> Tensor:
    """The targets P* of Algorithm 2 for all patches of a frame at once, joined to one mask.

    Like :func:`~tempseg_mm.ops.warp.forward_splat`, but the target of the patch at (i, j) is built only from sources
    inside its window {i - halo, j - halo, s + 2·halo}. A source at p therefore lies in the windows of a small block of
    patches around it, and may land inside that block alone: no window is ever extracted.

    Paper note: the last source of the window in raster order wins, holes stay 0. At frame sides that are no multiple
    of s the last patches reach over the border; the frame is taken as padded there with zeros, so that what is pushed
    out of the frame is lost at every side alike (paper note P9).

    Args:
        labels: (N, C, H, W), any dtype; normally the 0/1 ground truth of frame t-1.
        flow: (N, 2, H, W) float, pixels, forward, from frame t-1 to t.
        patch_size: s, at least 1; the paper uses 1 < s ≤ 4.
        halo: how many pixels a window is wider than its patch at each side.

    Returns:
        (N, C, H, W), dtype of ``labels``.

    Raises:
        ValueError: if shapes do not match, ``patch_size`` < 1 or ``halo`` < 0.

    Example:
        One row, s = 2: a flow of 3 takes the first pixel to column 3, whose patch {2, 3} has the window {0 … 5}; a flow
        of 4 takes it to column 4, whose patch {4, 5} has the window {2 … 7} and does not see it.

        >>> labels, flow = torch.zeros(1, 1, 1, 8), torch.zeros(1, 2, 1, 8)
        >>> labels[..., 0], flow[:, :, 0, 1:] = 1., 9.  # all others leave the frame
        >>> flow[0, 0, 0, 0] = 3.
        >>> halo_splat(labels, flow, 2)
        tensor([[[[0., 0., 0., 1., 0., 0., 0., 0.]]]])
        >>> flow[0, 0, 0, 0] = 4.
        >>> halo_splat(labels, flow, 2).sum()
        tensor(0.)
    """
    check_flow(labels, flow)
    check_patch_size(patch_size)
    if halo < 0:
        raise ValueError(f'halo must be at least 0, got {halo}')
    height, width = flow.shape[-2:]
    x_range, y_range = (_reach(side, patch_size, halo, flow.device) for side in (width, height))
    return splat_within(labels, flow, x_range, y_range)


def patch_sums(x: Tensor, patch_size: int) -> Tensor:
    """Sum over each s×s patch; patches that reach over the border count what lies inside (zero padding).

    Args:
        x: (N, C, H, W) float.
        patch_size: s, at least 1.

    Returns:
        (N, C, ceil(H/s), ceil(W/s)), dtype of ``x``. Has a gradient.

    Raises:
        ValueError: if ``patch_size`` < 1.
    """
    check_patch_size(patch_size)
    return F.avg_pool2d(x, patch_size, ceil_mode=True, divisor_override=1)


def check_patch_size(patch_size: int) -> None:
    """Raises ValueError unless ``patch_size`` is at least 1."""
    if patch_size < 1:
        raise ValueError(f'patch_size must be at least 1 (the paper: 2 to 4), got {patch_size}')


def _reach(side: int, size: int, halo: int, device: torch.device) -> Tensor:
    """(2, side): first and last pixel of the patches whose window holds each pixel of an axis, within the frame."""
    p = torch.arange(side, device=device)  # there: a copy to a GPU would wait for all that it has to do
    first = torch.div(p + halo, size, rounding_mode='floor')  # the last patch that begins no later than p + halo
    last_pixel = first * size + size - 1
    first_pixel = -torch.div(halo + size - 1 - p, size, rounding_mode='floor') * size
    return torch.stack([first_pixel, last_pixel]).clamp(0, side - 1)
