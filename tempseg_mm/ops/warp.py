"""Movement of images and masks along optical flow: pushing (Algorithm 1), sampling, and carrying a soft mask forward.

Used by the losses, the reference masks, the flow networks and the baselines.

This is the flow convention of the whole project. Flow is forward, from frame t to t+1, in pixels; channel 0 is x
(right), channel 1 is y (down). A pixel ``p`` of frame t is seen in frame t+1 at ``p + flow[p]``. Its *landing pixel* is
the nearest pixel, ``floor(p + flow[p] + 0.5)``. Pixel centres have whole coordinates. Tensors are (N, 2, H, W).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

_FAR = 2 ** 30  # a landing coordinate outside every frame, small enough for sums of coordinates in int64
_BLOCK = 2 ** 21  # pixels that a CPU splats at once
_EXACT = 2 ** 24  # above this, float32 cannot represent every whole number
_RIM = 2  # pixels around a frame; the four neighbours of a source span two
_COVERED = 1e-3  # a pixel that receives less weight than this is a hole


def landing_pixels(flow: Tensor) -> tuple[Tensor, Tensor]:
    """Return the pixel of frame t+1 nearest to where each pixel of frame t goes.

    Args:
        flow: (N, 2, H, W) float, pixels, forward.

    Returns:
        x and y, each (N, H, W) int64. They may lie outside the frame, and always do if the flow is not finite.

    Raises:
        ValueError: if ``flow`` is not a floating-point (N, 2, H, W).
    """
    moved = _whole_displacement(flow)
    moved = moved.nan_to_num_(nan=-_FAR, posinf=_FAR, neginf=-_FAR).clamp_(-_FAR, _FAR).long()
    height, width = flow.shape[-2:]
    x = moved[:, 0] + torch.arange(width, device=flow.device)
    y = moved[:, 1] + torch.arange(height, device=flow.device)[:, None]
    return x, y


def forward_splat(labels: Tensor, flow: Tensor) -> Tensor:
    """Apply Algorithm 1 to whole frames: every pixel writes its label at its landing pixel.

    Paper note: where several sources land on one pixel the last one in raster order (row by row) wins, as in the
    algorithm's loops; pixels nobody lands on (holes) stay 0 (paper note P9). Both hold on every device.

    Args:
        labels: (N, C, H, W), any dtype. Gradients reach the labels but not the flow.
        flow: (N, 2, H, W) float, pixels, forward.

    Returns:
        (N, C, H, W), dtype of ``labels``.

    Raises:
        ValueError: if shapes do not match.

    Example:
        >>> labels, flow = torch.tensor([[[[1., 0., 1.]]]]), torch.zeros(1, 2, 1, 3)
        >>> flow[0, 0, 0, 0] = 1.  # the first pixel moves onto the second, which stays and wins as the later source
        >>> forward_splat(labels, flow)
        tensor([[[[0., 0., 1.]]]])
    """
    check_flow(labels, flow)
    height, width = flow.shape[-2:]
    whole_width = torch.tensor([[0] * width, [width - 1] * width], device=flow.device)
    whole_height = torch.tensor([[0] * height, [height - 1] * height], device=flow.device)
    return splat_within(labels, flow, whole_width, whole_height)


def splat_within(labels: Tensor, flow: Tensor, x_range: Tensor, y_range: Tensor) -> Tensor:
    """Apply :func:`forward_splat`, but let a source in column x and row y land only inside its own rectangle.

    Args:
        labels: (N, C, H, W), any dtype.
        flow: (N, 2, H, W) float, pixels, forward.
        x_range: (2, W) integers within the frame: first and last column that a source of each column may land in.
        y_range: (2, H), the same for rows.

    Returns:
        (N, C, H, W), dtype of ``labels``.
    """
    # On a CPU, fresh buffers for a whole batch cost three times the work on them; blocks reuse the same memory.
    n, _, height, width = flow.shape
    block = max(1, _BLOCK // (height * width) if flow.device.type == 'cpu' else n)
    parts = zip(labels.split(block), flow.split(block), strict=True)
    return torch.cat([_splat_block(some_labels, some_flow, x_range, y_range) for some_labels, some_flow in parts])


def backward_warp(image: Tensor, flow: Tensor, padding: str = 'border') -> Tensor:
    """Sample ``image`` bilinearly at ``p + flow[p]`` for every pixel p. This brings frame t+1 back onto frame t.

    Args:
        image: (N, C, H, W) float. Gradients reach both arguments.
        flow: (N, 2, H, W) float, pixels. Zero flow returns the image (up to rounding).
        padding: values outside the image: ``'border'`` (the nearest pixel) or ``'zeros'``.

    Returns:
        (N, C, H, W), dtype of ``image``.

    Raises:
        ValueError: if shapes do not match or ``padding`` is another word.
    """
    check_flow(image, flow)
    if padding not in ('border', 'zeros'):
        raise ValueError(f"padding must be 'border' or 'zeros', got {padding!r}")
    height, width = flow.shape[-2:]
    x = flow[:, 0] + torch.arange(width, dtype=flow.dtype, device=flow.device)
    y = flow[:, 1] + torch.arange(height, dtype=flow.dtype, device=flow.device)[:, None]
    # Under align_corners=False, [-1, 1] spans the outer pixel edges. This normalisation does the same.
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=-1)  # [N, H, W, 2]
    wide = torch.promote_types(image.dtype, grid.dtype)  # half precision cannot tell neighbouring pixels apart
    sampled = F.grid_sample(image.to(wide), grid.to(wide), padding_mode=padding, align_corners=False)
    return sampled.to(image.dtype)


@torch.no_grad()
def move_mask(mask: Tensor, flow: Tensor, *, fill_rounds: int = 4) -> Tensor:
    """Move a soft mask along a forward flow and fill the holes that arise. Used to carry reference masks to frame t.

    Every pixel shares its value among the four pixels around ``p + flow[p]`` (bilinear weights). A target is the
    weighted mean of the values that it received. A target that received nothing takes the mean of its known 3×3
    neighbours, in ``fill_rounds`` rounds; a target still unknown after that is 0. Zero flow is the identity, and shifts
    by whole pixels are exact wherever a source lands. No gradient.

    Args:
        mask: (N, C, H, W) float in [0, 1].
        flow: (N, 2, H, W) float, pixels, forward. Pixels whose flow is not finite go nowhere.
        fill_rounds: width in pixels of the rim of a hole that is filled.

    Returns:
        (N, C, H, W) in [0, 1], dtype of ``mask``.

    Raises:
        ValueError: if shapes do not match.
    """
    check_flow(mask, flow)
    total, weight = _bilinear_splat(mask.to(torch.promote_types(mask.dtype, torch.float32)), flow)
    known = weight > _COVERED  # [N, 1, H, W]
    value = total / weight.clamp(min=_COVERED) * known
    for _ in range(fill_rounds):
        around, count = _sum_around(value), _sum_around(known.to(value.dtype))
        value = torch.where(known, value, around / count.clamp(min=1))
        known = count > 0
    return value.clamp_(0, 1).to(mask.dtype)


def references_from(masks: Tensor, first: Tensor, flow: Tensor) -> Tensor:
    """Return the reference masks of a clip: the mask of each frame, moved along the flow to the next frame.

    Args:
        masks: (N, T, 1, H, W) in [0, 1], the object's mask in each frame; the last one is not read.
        first: (N, 1, 1, H, W) in [0, 1], the reference of frame 0, returned unchanged.
        flow: (N, T-1, 2, H, W), pixels, forward.

    Returns:
        (N, T, 1, H, W) in [0, 1].
    """
    if flow.shape[1] == 0:
        return first
    moved = move_mask(masks[:, :-1].flatten(0, 1), flow.flatten(0, 1))
    return torch.cat([first, moved.unflatten(0, flow.shape[:2])], dim=1)


def check_flow(image: Tensor, flow: Tensor) -> None:
    """Raise ValueError unless ``flow`` is a floating-point (N, 2, H, W) for an ``image`` (N, C, H, W)."""
    _check_flow_alone(flow)
    if image.ndim != 4 or image.shape[0] != flow.shape[0] or image.shape[2:] != flow.shape[2:]:
        raise ValueError(f'expected an (N, C, H, W) tensor with the N, H and W of its flow {tuple(flow.shape)}, '
                         f'got {tuple(image.shape)}')


def _check_flow_alone(flow: Tensor) -> None:
    if flow.ndim != 4 or flow.shape[1] != 2:
        raise ValueError(f'flow must be (N, 2, H, W), x then y, got {tuple(flow.shape)}')
    if not flow.is_floating_point():
        raise ValueError(f'flow must be floating point, in pixels, got {flow.dtype}')


def _whole_displacement(flow: Tensor) -> Tensor:
    """Return floor(flow + 0.5), a new (N, 2, H, W). Adding pixel numbers is exact after the rounding, not before it."""
    _check_flow_alone(flow)
    return (flow.detach().to(torch.promote_types(flow.dtype, torch.float32)) + 0.5).floor_()


def _splat_block(labels: Tensor, flow: Tensor, x_range: Tensor, y_range: Tensor) -> Tensor:
    channels, height, width = labels.shape[1:]
    moved = _whole_displacement(flow)
    if height * width >= _EXACT:
        moved = moved.double()
    x_reach = x_range - torch.arange(width, device=flow.device)
    y_reach = (y_range - torch.arange(height, device=flow.device))[..., None]
    dx, dy = moved[:, 0], moved[:, 1]
    lands = (dx >= x_reach[0]) & (dx <= x_reach[1]) & (dy >= y_reach[0]) & (dy <= y_reach[1])  # [N, H, W]; not for NaN

    # The winner of a pixel is the highest source number (from 1) that lands there; 0 means none. Unlike a plain write,
    # a maximum does not depend on the order of threads. Sources that land nowhere write to one slot behind the frame.
    pixels = height * width
    number = torch.arange(pixels, device=flow.device).view(height, width)
    target = dx.add_(dy, alpha=width).add_(number).masked_fill_(~lands, pixels).long().flatten(1)  # [N, HW]
    source = torch.arange(1, pixels + 1, dtype=torch.int32, device=flow.device).expand_as(target)
    winner = torch.zeros(len(target), pixels + 1, dtype=torch.int32, device=flow.device)
    winner = winner.scatter_reduce_(1, target, source, 'amax')[:, :-1]
    with_none = F.pad(labels.flatten(2), (1, 0))  # [N, C, 1+HW]: entry 0, for pixels without a source, is 0
    return with_none.gather(2, target.copy_(winner)[:, None].expand(-1, channels, -1)).view_as(labels)


def _sum_around(image: Tensor) -> Tensor:
    """Return the sum of the 3×3 pixels around each pixel of an (N, C, H, W); pixels outside the image count as 0."""
    padded = F.pad(image, (1, 1, 1, 1))
    rows = padded[..., :-2, :] + padded[..., 1:-1, :] + padded[..., 2:, :]
    return rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]


def _bilinear_splat(values: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """Return the sum of weighted values, (N, C, H, W), and of weights, (N, 1, H, W), that reach each pixel."""
    n, channels, height, width = values.shape
    flow = flow.detach().to(values.dtype)
    whole = flow.floor()
    right, down = (flow - whole).unbind(1)  # [N, H, W] each: share of the right and of the lower neighbours
    # The sums have a rim of two pixels, so that a source outside the frame needs no case of its own: it and its
    # neighbours stay in the rim.
    x = torch.arange(width, device=flow.device) + whole[:, 0].nan_to_num_(nan=-_FAR)
    y = torch.arange(height, device=flow.device)[:, None] + whole[:, 1].nan_to_num_(nan=-_FAR)
    row = width + 2 * _RIM
    at = (y.clamp_(-_RIM, height) + _RIM).long() * row + (x.clamp_(-_RIM, width) + _RIM).long()  # [N, H, W]
    carried = torch.cat([values, torch.ones_like(values[:, :1])], dim=1)  # [N, C+1, H, W]
    sums = values.new_zeros(n, channels + 1, (height + 2 * _RIM) * row)
    for share_x, columns in ((1 - right, at), (right, at + 1)):
        for share_y, target in ((1 - down, columns), (down, columns + row)):
            share = carried * (share_x * share_y)[:, None]
            sums.scatter_add_(2, target.flatten(1)[:, None].expand(-1, channels + 1, -1), share.flatten(2))
    sums = sums.view(n, channels + 1, height + 2 * _RIM, row)[..., _RIM:-_RIM, _RIM:-_RIM]
    return sums[:, :-1], sums[:, -1:]
