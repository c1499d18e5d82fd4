"""What lies within reach of a mask. Called by the model's prediction; relies on torch alone."""

import torch
import torch.nn.functional as F
from torch import Tensor


def within_reach(masks: Tensor, reach: float) -> Tensor:
    """Pixels at most ``reach`` object sizes from the object, along rows and along columns.

    The size of an object is the square root of its area. An empty mask says nothing about where the object is: all
    pixels are within its reach.

    Args:
        masks: (B, 1, H, W) in [0, 1]; the object is where they exceed 0.5.
        reach: at least 0, in object sizes.

    Returns:
        (B, 1, H, W) bool.

    Example:
        >>> within_reach(torch.tensor([[[[1., 0., 0., 0., 1., 1., 0., 0.]]]]), 0.5)  # √3 / 2: 1 pixel
        tensor([[[[ True,  True, False,  True,  True,  True,  True, False]]]])
    """
    objects = (masks > 0.5).float()
    areas = objects.sum((1, 2, 3)).tolist()
    grown = [_dilate(mask, round(reach * area ** 0.5)) if area else torch.ones_like(mask)
             for mask, area in zip(objects, areas, strict=True)]
    return torch.stack(grown) > 0


def _dilate(mask: Tensor, radius: int) -> Tensor:
    """(1, H, W) grown by a square."""
    grown = F.max_pool2d(mask, (2 * radius + 1, 1), 1, (radius, 0))
    return F.max_pool2d(grown, (1, 2 * radius + 1), 1, (0, radius))
