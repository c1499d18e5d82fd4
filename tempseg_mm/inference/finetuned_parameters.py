"""Which parameters online fine-tuning adapts, by name. Called by the online fine-tuner; relies on names of modules."""

import difflib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mmcv.cnn import is_norm
from torch import nn

NORM = 'norm'


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
