"""Geometry of Algorithm 2: s×s patches without overlap, and the halo windows that their targets are built from.

Used by the ITSD loss and its pictures. :mod:`tempseg_mm.ops.warp` provides the splat and the flow convention.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from tempseg_mm.ops.warp import check_flow, splat_within


def halo_splat(labels: Tensor, flow: Tensor, patch_size: int = 4, *, halo: int = 2) -> Tensor:
    """Return the targets ``P*`` of Algorithm 2 for all patches of a frame, joined into one mask.

    This is :func:`~tempseg_mm.ops.warp.forward_splat` with a limit: the target of the patch at (i, j) is built only
    from sources inside its window {i - halo, j - halo, s + 2·halo}. So a source at p lies in the windows of a small
    block of patches around it and may land only inside that block. No window needs to be extracted.

    Paper note: the last source of the window in raster order wins, holes stay 0. At frame sides that are no multiple
    of s the last patches reach over the border. The frame is taken as padded there with zeros, so pixels that are
    pushed out of the frame are lost at every side alike (paper note P9).

    Args:
        labels: (N, C, H, W), any dtype; normally the 0/1 ground truth of frame t-1.
        flow: (N, 2, H, W) float, pixels, forward, from frame t-1 to t.
        patch_size: s, at least 1; the paper uses 1 < s ≤ 4.
        halo: pixels by which a window is wider than its patch at each side.

    Returns:
        (N, C, H, W), dtype of ``labels``.

    Raises:
        ValueError: if shapes do not match, ``patch_size`` < 1 or ``halo`` < 0.

    Example:
        One row, s = 2. A flow of 3 takes the first pixel to column 3, and the window {0 … 5} of its patch {2, 3}
        contains the pixel. A flow of 4 takes it to column 4, and the window {2 … 7} of the patch {4, 5} does not
        contain it.

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
    """Return the sum over each s×s patch. Patches that reach over the border sum the part inside (zero padding).

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
    """Raise ValueError unless ``patch_size`` is at least 1."""
    if patch_size < 1:
        raise ValueError(f'patch_size must be at least 1 (the paper: 2 to 4), got {patch_size}')


def _reach(side: int, size: int, halo: int, device: torch.device) -> Tensor:
    """Return (2, side): first and last pixel in the frame of the patches whose window holds each pixel of a side."""
    p = torch.arange(side, device=device)  # made on the device: a copy to a GPU would wait for its queued work
    first = torch.div(p + halo, size, rounding_mode='floor')  # the last patch that begins no later than p + halo
    last_pixel = first * size + size - 1
    first_pixel = -torch.div(halo + size - 1 - p, size, rounding_mode='floor') * size
    return torch.stack([first_pixel, last_pixel]).clamp(0, side - 1)
