"""Finds numbers that are NaN or infinite, for the train loop and the online fine-tuner."""

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn


def stacked(*sets: Mapping) -> Tensor:
    """Copy tensors of one element by name, in one set or several, to a vector of floats on their device."""
    return torch.stack([value.detach().float().reshape(()) for terms in sets for value in terms.values()])


def as_floats(*sets: Mapping) -> list[dict]:
    """Convert tensors of one element by name to floats, all sets with a single transfer from the device."""
    values = iter(stacked(*sets).tolist())
    return [{name: next(values) for name in terms} for terms in sets]


def fault_in(values: Mapping, where: str, advice: str = 'Lower the learning rate, or look at the data of this batch.'
             ) -> str | None:
    """Name the floats that are NaN or infinite, then list all of them; return ``None`` if all are finite."""
    wrong = [name for name, value in values.items() if not math.isfinite(value)]
    if not wrong:
        return None
    listed = ', '.join(f'{name}={value:g}' for name, value in values.items())
    return f'{", ".join(wrong)} not finite in {where}. All terms: {listed}. {advice}'


class FiniteTerms:
    """Checks that the loss terms of steps are finite, with one transfer from the device for several sets of terms.

    A transfer makes the CPU wait for all work that a GPU has not done yet. A GPU that gets work meanwhile never stops.

    Args:
        together: number of sets of terms that are checked together. 1: each at once.
    """

    def __init__(self, together: int = 1) -> None:
        self.together = together
        self._unchecked: list[tuple[str, Mapping]] = []

    def add(self, terms: Mapping, where: str) -> None:
        """Add tensors of one element by name, and check all sets if there are :attr:`together` of them.

        Raises:
            FloatingPointError: as :meth:`check`.
        """
        self._unchecked.append((where, {name: value.detach() for name, value in terms.items()}))
        if len(self._unchecked) >= self.together:
            self.check()

    def check(self) -> None:
        """Check the sets that were not checked yet.

        Raises:
            FloatingPointError: naming the first place whose terms are not finite, these terms, then all terms there.
        """
        unchecked, self._unchecked = self._unchecked, []
        if not unchecked:
            return
        for (where, _), values in zip(unchecked, as_floats(*(terms for _, terms in unchecked)), strict=True):
            fault = fault_in(values, where)
            if fault:
                raise FloatingPointError(fault)


def gradient_norm(parameters: Iterable[nn.Parameter]) -> Tensor:
    """Compute the 2-norm of all gradients together, a scalar on their device.

    It is not finite if one of the gradients is not, or if it overflows. Finite gradients do not change, bit for bit.
    """
    # Clipping to infinity multiplies by one. It is the public function that computes the norm in a few kernels.
    return nn.utils.clip_grad_norm_(list(parameters), math.inf)
