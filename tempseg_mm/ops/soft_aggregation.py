"""Merging of the probabilities of several objects, each found independently, into one distribution per pixel.

Called by ``Propagator`` on the answers of the network and again on those of the CRF.
"""

import torch
from torch import Tensor

CLIP = 1e-7  # keeps odds finite; float32 can still tell 1 - 1e-7 from 1


def soft_aggregation(probabilities: Tensor) -> Tensor:
    """Return the posterior of "at most one object per pixel", background first.

    With the odds o_k = p_k / (1 - p_k) of each object against everything else::

        p~_k = o_k / (1 + sum o),   background 1 / (1 + sum o)

    This follows from Bayes' rule if the K answers are independent and two objects at one pixel are ruled out. A single
    object keeps its probability bit for bit. STM and RGMP instead take prod (1 - p_k) as the background's probability
    and convert it to odds; this favours objects with medium probabilities and changes even a single object.

    Args:
        probabilities: (K, ...) float in [0, 1], K >= 1.

    Returns:
        (K + 1, ...) in [0, 1], summing to 1 along the first axis. An object is the most probable one at a pixel if its
        p_k is the highest and above one half.

    Raises:
        ValueError: if there is no object.
    """
    if probabilities.ndim == 0 or len(probabilities) == 0:
        raise ValueError(f'probabilities must be (K, ...) with at least one object, got {tuple(probabilities.shape)}')
    if len(probabilities) == 1:
        return torch.cat([1 - probabilities, probabilities])
    clipped = probabilities.clamp(CLIP, 1 - CLIP)
    odds = torch.cat([torch.ones_like(clipped[:1]), clipped / (1 - clipped)])
    return odds / odds.sum(0)
