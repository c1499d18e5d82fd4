"""Probabilities of several objects, each found as if it were alone, made into one distribution a pixel.

Called by ``Propagator`` on the network's answers and again on those of the CRF.
"""

import torch
from torch import Tensor

CLIP = 1e-7  # keeps odds finite; float32 can just tell 1 - 1e-7 from 1


def soft_aggregation(probabilities: Tensor) -> Tensor:
    """The posterior of "at most one object a pixel", background first.

    With the odds o_k = p_k / (1 - p_k) of each object against everything else::

        p~_k = o_k / (1 + sum o),   background 1 / (1 + sum o)

    which follows from Bayes' rule if the K answers are independent and all events with two objects at a pixel are ruled
    out. One object keeps its probability bit for bit. STM and RGMP take prod (1 - p_k) as the background's probability
    and then its odds; that favours objects in the middle of the range, and does not leave a single object alone.

    Args:
        probabilities: (K, ...) float in [0, 1], K >= 1.

    Returns:
        (K + 1, ...) in [0, 1], summing to 1 along the first axis. An object is the most probable of its pixel where its
        own p_k is the highest and above one half.

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
