"""The parts of a step of online fine-tuning: the copy and its parameters, parallel clips, and averaged weights."""

import copy
import difflib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import torch
from mmcv.cnn import is_norm
from mmcv.cnn.utils import fuse_conv_bn
from torch import Tensor, nn
from torch.optim.swa_utils import get_swa_multi_avg_fn

from tempseg_mm.runtime.background import read_ahead

AHEAD = 4  # steps whose clips are drawn before a GPU asks for them
NORM = 'norm'


def folded(module: nn.Module) -> nn.Module:
    """Return a copy in eval mode whose batch normalisation is folded into the preceding convolutions.

    The output is the same up to rounding. Frozen parameters stay frozen. The bias that a convolution gains is trainable
    if its weights are.
    """
    frozen = {name for name, parameter in module.named_parameters() if not parameter.requires_grad}
    found = fuse_conv_bn(copy.deepcopy(module).eval())
    for name, parameter in found.named_parameters():
        parameter.requires_grad_(name not in frozen and f'{name.rpartition(".")[0]}.weight' not in frozen)
    return found


def parameters_called(module: nn.Module, names: Sequence[str]) -> set[str]:
    """Return the names of all parameters of ``module`` that match one of ``names``.

    Args:
        names: names of parameters or sub-modules, as in ``named_parameters()``: ``'decoder'`` matches
            ``decoder.to_logits.weight``, but not ``decoder2.weight``. ``'norm'`` matches the scales and shifts of all
            normalisation layers.

    Raises:
        ValueError: if a name matches nothing; the message lists the nearest names.
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
    """Return an endless iterator over the clips. If only some are favoured, every second clip is a favoured one."""
    chosen = [clip for clip, is_favoured in zip(clips, favoured, strict=True) if is_favoured]
    others = [clip for clip, is_favoured in zip(clips, favoured, strict=True) if not is_favoured]
    if not chosen or not others:
        return itertools.cycle(clips)
    return itertools.chain.from_iterable(zip(itertools.cycle(chosen), itertools.cycle(others), strict=True))


@contextmanager
def trained_alone(module: nn.Module, chosen: set[str]) -> Iterator[None]:
    """Make only the chosen parameters require gradients inside the context, so that layers before them build no graph.

    Afterwards every ``requires_grad`` has its former value.
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
    """Return the message for an unknown name, with the most similar names and the outermost ones."""
    parts = [name.split('.') for name in every]
    known = sorted({'.'.join(part[:i]) for part in parts for i in range(1, len(part) + 1)})
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)
    near += [name for name in known if '.' not in name and name not in near]
    return (f'only names {wanted!r}, but no parameter and no sub-module with parameters has this name. '
            f'The nearest names: {", ".join(near)}')


@contextmanager
def side_by_side(num_threads: int) -> Iterator[Callable[[Callable, Iterable], list]]:
    """Provide a ``map`` that runs up to ``num_threads`` calls at once, with one torch thread per call.

    The layers of a small network are too small to be split among cores: two threads per layer gain almost nothing, but
    two clips in parallel take little longer than one. The called function must draw no random numbers, because the
    order of the threads is not fixed. Results come in the order of the items. One thread means Python's own ``map``.

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
        # Set in every thread too: a new thread would start with torch's default number and so round differently.
        with ThreadPoolExecutor(num_threads, 'side_by_side', torch.set_num_threads, (1,)) as pool:
            yield lambda function, items: list(pool.map(function, items))
    finally:
        torch.set_num_threads(before)


@contextmanager
def drawn_ahead(drawn: Iterator[list[list[dict]]], device: torch.device) -> Iterator[Iterator[list[list[dict]]]]:
    """Provide packed clips, step by step: for a GPU another thread draws those of the next steps meanwhile.

    The order of all draws stays the same. On a CPU nothing is drawn ahead, because the steps use all cores.

    Another thread draws from the same random streams of Python, NumPy and torch's CPU, so the block must not draw from
    them. Layers on a GPU draw from another stream. At the end of the block the thread has ended.

    Args:
        drawn: draws the batches of one step at a time, each a list of packed clips.
        device: where the steps run.
    """
    if device.type == 'cpu':
        yield drawn
        return
    if device.type == 'cuda':
        drawn = map(_pinned, drawn)
    with closing(read_ahead(drawn, AHEAD)) as ready:
        yield ready


def _pinned(batches: list[list[dict]]) -> list[list[dict]]:
    """Move packed clips to memory from which a GPU copies while the CPU works on."""
    return [[dict(inputs=clip['inputs'].pin_memory(), data_samples=clip['data_samples'].pin_memory()) for clip in batch]
            for batch in batches]


class TailAverage:
    """Equal-weight mean of parameters after each of the last steps.

    This is stochastic weight averaging (Izmailov et al., "Averaging Weights Leads to Wider Optima and Better
    Generalization", UAI 2018). From its first step on, the mean needs the memory of the parameters once more.

    Args:
        steps: number of all steps.
        share: share of the steps that is averaged, in [0, 1], rounded to whole steps. 0: no mean. More: at least the
            last step.
    """

    def __init__(self, steps: int, share: float) -> None:
        self._first = steps - max(1, round(share * steps)) if share else steps
        self._mean: list[Tensor] = []
        self._average = get_swa_multi_avg_fn()  # a few kernels for all parameters together

    def add(self, parameters: Sequence[nn.Parameter], step: int) -> None:
        """Add the values after a step, counted from 0. Values before the first averaged step are ignored."""
        if step == self._first:
            self._mean = [parameter.detach().clone() for parameter in parameters]
        elif step > self._first:
            self._average(self._mean, parameters, step - self._first)

    def give_to(self, parameters: Sequence[nn.Parameter]) -> None:
        """Set the parameters to the mean. Without a mean they stay the same, bit for bit."""
        if self._mean:
            for parameter, mean in zip(parameters, self._mean, strict=True):
                parameter.data.copy_(mean)
