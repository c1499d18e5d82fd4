"""What a step of online fine-tuning is made of: the copy and its parameters, clips side by side on the cores of a CPU,
and the mean of the last weights. Called by the online fine-tuner."""

import copy
import difflib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch
from mmcv.cnn import is_norm
from mmcv.cnn.utils import fuse_conv_bn
from mmengine.model import StochasticWeightAverage
from torch import nn

NORM = 'norm'


def folded(module: nn.Module) -> nn.Module:
    """A copy in eval mode whose batch normalisation is part of the convolutions before it; it answers the same to
    rounding. What was frozen stays so; the bias that a convolution gains is trained if its weights are."""
    frozen = {name for name, parameter in module.named_parameters() if not parameter.requires_grad}
    found = fuse_conv_bn(copy.deepcopy(module).eval())
    for name, parameter in found.named_parameters():
        parameter.requires_grad_(name not in frozen and f'{name.rpartition(".")[0]}.weight' not in frozen)
    return found


def parameters_called(module: nn.Module, names: Sequence[str]) -> set[str]:
    """Names of all parameters of ``module`` that ``names`` fit.

    Args:
        names: of parameters or of sub-modules, as in ``named_parameters()``: ``'decoder'`` fits
            ``decoder.to_logits.weight``, but not ``decoder2.weight``. ``'norm'``: what scales and shifts in all
            normalisation layers.

    Raises:
        ValueError: if one of them fits nothing; it tells the nearest that do.
    """
    every, chosen = [name for name, _ in module.named_parameters()], set()
    of_norm = _of_norm_layers(module)
    for wanted in names:
        fitting = of_norm if wanted == NORM else {n for n in every if n == wanted or n.startswith(f'{wanted}.')}
        if not fitting:
            raise ValueError(_nothing_called(wanted, every + [NORM] * bool(of_norm)))
        chosen |= fitting
    return chosen


def in_turn(clips: Sequence, favoured: Sequence[bool]) -> Iterator:
    """The clips one after the other, without end; where some are favoured, every second one is one of those."""
    chosen = [clip for clip, is_favoured in zip(clips, favoured, strict=True) if is_favoured]
    others = [clip for clip, is_favoured in zip(clips, favoured, strict=True) if not is_favoured]
    if not chosen or not others:
        return itertools.cycle(clips)
    return itertools.chain.from_iterable(zip(itertools.cycle(chosen), itertools.cycle(others), strict=True))


@contextmanager
def trained_alone(module: nn.Module, chosen: set[str]) -> Iterator[None]:
    """Inside, the parameters named have gradients and no others, so that layers before the first cost no graph.

    Afterwards every ``requires_grad`` is what it was.
    """
    before = [(parameter, parameter.requires_grad) for parameter in module.parameters()]
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(name in chosen)
    try:
        yield
    finally:
        for parameter, required in before:
            parameter.requires_grad_(required)


def _of_norm_layers(module: nn.Module) -> set[str]:
    return {f'{layer_name}.{name}'.lstrip('.') for layer_name, layer in module.named_modules() if is_norm(layer)
            for name, _ in layer.named_parameters(recurse=False)}


def _nothing_called(wanted: str, every: list[str]) -> str:
    """The fault in words, with names like it and the outermost ones."""
    parts = [name.split('.') for name in every]
    known = sorted({'.'.join(part[:i]) for part in parts for i in range(1, len(part) + 1)})
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)
    near += [name for name in known if '.' not in name and name not in near]
    return (f'only names {wanted!r}, but no parameter and no sub-module with parameters is called that; '
            f'nearest: {", ".join(near)}')


@contextmanager
def side_by_side(num_threads: int) -> Iterator[Callable[[Callable, Iterable], list]]:
    """A ``map`` whose calls run in so many threads at once, one thread of torch each; with one it is Python's own.

    The layers of a small network are too small to be shared out among cores: two threads in every layer gain next to
    nothing, two clips side by side take little longer than one. What is called must draw no random numbers, since the
    threads' order is nobody's; results come in the order of the items.

    ::

        with side_by_side(2) as run:
            gradients = run(gradients_of, clips)

    Args:
        num_threads: 1 or more.
    """
    if num_threads == 1:
        yield lambda function, items: list(map(function, items))
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        # Said in every thread too: the first operation of a new one takes the default, and then rounds otherwise.
        with ThreadPoolExecutor(num_threads, 'side_by_side', torch.set_num_threads, (1,)) as pool:
            yield lambda function, items: list(pool.map(function, items))
    finally:
        torch.set_num_threads(before)


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
