"""The correlation layer of FlowNetC: what a patch of one frame has in common with each place near it in the next."""

import torch
import torch.nn.functional as F
from torch import Tensor


def correlation(first: Tensor, second: Tensor, *, radius: int = 10, stride: int = 2) -> Tensor:
    """Mean over the channels of the products of ``first`` and ``second`` moved by (stride·dx, stride·dy).

    ``out[n, (dy + r)(2r + 1) + dx + r, y, x] = 1/C Σ_c first[n, c, y, x] · second[n, c, y + stride·dy, x + stride·dx]``
    for dx, dy = -r..r, r = ``radius``; outside of ``second`` are zeros. The defaults are those of FlowNetC.

    Pixels whose distance is a multiple of the stride lie in one *phase* of the grid, so each phase is a correlation of
    stride 1; and a row of one against a row of the other is a matrix product, whose diagonals are the answers. More
    products than needed are taken, but by the fastest routine there is.

    Args:
        first: (N, C, H, W) float. Gradients reach both.
        second: the same.
        radius: r, displacements to each side.
        stride: pixels from one displacement to the next.

    Returns:
        (N, (2r + 1)², H, W).

    Raises:
        ValueError: if shapes differ or are not (N, C, H, W).
    """
    _require_alike(first, second)
    n, channels, height, width = first.shape
    reach = 2 * radius + 1
    a, b = _phases(first, stride), _phases(second, stride)  # [h, N·s², C, w] each
    h, w = a.shape[0], a.shape[3]
    b = F.pad(b, (radius, radius, 0, 0, 0, 0, radius, radius))  # [h + 2r, N·s², C, w + 2r]
    a = a.flatten(0, 1).transpose(1, 2)  # [h·N·s², w, C]
    diagonals = torch.arange(w, device=first.device)[:, None] + torch.arange(reach, device=first.device)
    diagonals = diagonals.expand(len(a), -1, -1)  # [h·N·s², w, 2r + 1]
    rows = [(a @ b[dy:dy + h].flatten(0, 1)).gather(2, diagonals) for dy in range(reach)]
    out = torch.stack(rows).view(reach, h, n, stride, stride, w, reach)  # [dy, h, N, s, s, w, dx]
    out = out.permute(2, 0, 6, 1, 3, 5, 4).reshape(n, reach ** 2, h * stride, w * stride)
    return out[..., :height, :width] / channels


def correlation_by_shifts(first: Tensor, second: Tensor, *, radius: int = 10, stride: int = 2) -> Tensor:
    """:func:`correlation` as it is written: one product of whole maps a displacement. Slow; what tests compare with."""
    _require_alike(first, second)
    height, width = first.shape[2:]
    steps = range(0, 2 * radius * stride + 1, stride)
    padded = F.pad(second, (radius * stride,) * 4)
    moved = (padded[..., dy:dy + height, dx:dx + width] for dy in steps for dx in steps)
    return torch.stack([(first * other).mean(1) for other in moved], dim=1)


def _phases(maps: Tensor, stride: int) -> Tensor:
    """(N, C, H, W) -> (h, N·s², C, w): pixels s apart beside each other; zeros fill up what does not divide."""
    n, channels, height, width = maps.shape
    maps = F.pad(maps, (0, -width % stride, 0, -height % stride))
    maps = maps.unflatten(3, (-1, stride)).unflatten(2, (-1, stride))  # [N, C, h, s, w, s]
    return maps.permute(2, 0, 3, 5, 1, 4).flatten(1, 3)


def _require_alike(first: Tensor, second: Tensor) -> None:
    if first.dim() != 4 or first.shape != second.shape:
        raise ValueError(f'correlation needs two maps of one shape (N, C, H, W), got {tuple(first.shape)} and '
                         f'{tuple(second.shape)}')
