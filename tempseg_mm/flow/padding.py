"""Frames brought to the sizes that a network takes. Used by the flow networks; relies on torch alone."""

import torch.nn.functional as F
from torch import Tensor


def pad_to_multiple(images: Tensor, multiple: int, *, least: int = 1) -> Tensor:
    """Repeats the last row and column until both sides fit. What stood at (x, y) still does, so flow is just cropped.

    Args:
        images: (N, C, H, W) float.
        multiple: both sides become multiples of it.
        least: and no shorter than this.

    Returns:
        (N, C, H', W'), H' >= H, W' >= W; ``images`` itself if it fits.
    """
    bottom, right = (-(-max(side, least) // multiple) * multiple - side for side in images.shape[2:])
    return F.pad(images, (0, right, 0, bottom), mode='replicate') if bottom or right else images
