"""A loss that is not finite ends the work at once, with its name and all terms beside it."""

import math
from collections.abc import Mapping

import torch


def check_finite(terms: Mapping, where: str) -> dict:
    """Tensors of one element by name -> plain floats, with a single transfer from the device.

    Raises:
        FloatingPointError: naming the terms that are NaN or infinite, then all terms.
    """
    values = dict(zip(terms, torch.stack([value.detach().float().reshape(()) for value in terms.values()]).tolist()))
    wrong = [name for name, value in values.items() if not math.isfinite(value)]
    if wrong:
        listed = ', '.join(f'{name}={value:g}' for name, value in values.items())
        raise FloatingPointError(f'{", ".join(wrong)} not finite in {where}. All terms: {listed}. '
                                 'Lower the learning rate, or look at the data of this batch.')
    return values
