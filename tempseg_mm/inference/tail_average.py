"""Mean of a network's weights over its last steps. Called by the online fine-tuner; mmengine keeps the running mean."""

from mmengine.model import StochasticWeightAverage
from torch import nn


class TailAverage:
    """Equal-weight mean of the parameters after each of the last steps (stochastic weight averaging, Izmailov et al.,
    "Averaging Weights Leads to Wider Optima and Better Generalization", UAI 2018).

    Buffers are not averaged: they are those of the last step. It needs the memory of one more network, from the first
    step of the mean on.

    Args:
        steps: in all.
        share: of them that takes part, in [0, 1], rounded to whole steps; 0: no mean, more: at least the last step.
    """

    def __init__(self, steps: int, share: float) -> None:
        self._first = steps - max(1, round(share * steps)) if share else steps
        self._mean: StochasticWeightAverage | None = None

    def add(self, module: nn.Module, step: int) -> None:
        """The weights after a step, counted from 0; those before the first of the mean are not looked at."""
        if step >= self._first:
            if self._mean is None:
                self._mean = StochasticWeightAverage(module)
            self._mean.update_parameters(module)

    def give_to(self, module: nn.Module) -> None:
        """Set the weights of ``module`` to the mean; without one they stay, bit for bit."""
        if self._mean is not None:
            module.load_state_dict(self._mean.module.state_dict())
