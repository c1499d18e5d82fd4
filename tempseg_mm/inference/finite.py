"""Numbers that went wrong: they end the work with their name, all terms beside them. Called by the steps of the train
loop and by the online fine-tuner."""

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn


def as_floats(terms: Mapping) -> dict:
    """Tensors of one element by name -> plain floats, with a single transfer from the device."""
    return dict(zip(terms, torch.stack([value.detach().float().reshape(()) for value in terms.values()]).tolist(),
                    strict=True))


def fault_in(values: Mapping, where: str, advice: str = 'Lower the learning rate, or look at the data of this batch.'
             ) -> str | None:
    """What is wrong, in words: the names of the floats that are NaN or infinite, then all. ``None``: nothing is."""
    wrong = [name for name, value in values.items() if not math.isfinite(value)]
    if not wrong:
        return None
    listed = ', '.join(f'{name}={value:g}' for name, value in values.items())
    return f'{", ".join(wrong)} not finite in {where}. All terms: {listed}. {advice}'


def check_finite(terms: Mapping, where: str) -> dict:
    """:func:`as_floats`, none of them NaN or infinite.

    Raises:
        FloatingPointError: naming the terms that are, then all terms.
    """
    values = as_floats(terms)
    fault = fault_in(values, where)
    if fault:
        raise FloatingPointError(fault)
    return values


def gradient_norm(parameters: Iterable[nn.Parameter]) -> Tensor:
    """2-norm of all gradients together, a scalar on their device; not finite if one of them is not, or if it overflows.

    Finite gradients stay as they are, bit for bit.
    """
    # Clipping to infinity multiplies by one; it is the public way to a norm that is a few kernels for all parameters.
    return nn.utils.clip_grad_norm_(list(parameters), math.inf)
