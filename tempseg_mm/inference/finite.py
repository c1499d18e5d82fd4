"""Finds numbers that are NaN or infinite, for the train loop and the online fine-tuner."""

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn


def as_floats(terms: Mapping) -> dict:
    """Convert tensors of one element by name to floats, with a single transfer from the device."""
    return dict(zip(terms, torch.stack([value.detach().float().reshape(()) for value in terms.values()]).tolist(),
                    strict=True))


def fault_in(values: Mapping, where: str, advice: str = 'Lower the learning rate, or look at the data of this batch.'
             ) -> str | None:
    """Name the floats that are NaN or infinite, then list all of them; return ``None`` if all are finite."""
    wrong = [name for name, value in values.items() if not math.isfinite(value)]
    if not wrong:
        return None
    listed = ', '.join(f'{name}={value:g}' for name, value in values.items())
    return f'{", ".join(wrong)} not finite in {where}. All terms: {listed}. {advice}'


def check_finite(terms: Mapping, where: str) -> dict:
    """Return the terms as :func:`as_floats` does, after a check that all are finite.

    Raises:
        FloatingPointError: naming the terms that are not finite, then all terms.
    """
    values = as_floats(terms)
    fault = fault_in(values, where)
    if fault:
        raise FloatingPointError(fault)
    return values


def gradient_norm(parameters: Iterable[nn.Parameter]) -> Tensor:
    """Compute the 2-norm of all gradients together, a scalar on their device.

    It is not finite if one of the gradients is not, or if it overflows. Finite gradients do not change, bit for bit.
    """
    # Clipping to infinity multiplies by one. It is the public function that computes the norm in a few kernels.
    return nn.utils.clip_grad_norm_(list(parameters), math.inf)
