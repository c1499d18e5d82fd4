"""What goes into a checkpoint and comes out of one. Used by ``AtomicCheckpointHook``.

Plain types only, so that ``torch.load(weights_only=True)`` reads it with any torch: mmengine puts ``HistoryBuffer``
objects and NumPy scalars into a checkpoint's ``message_hub``, which ``torch.load`` rejects.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from torch import Tensor

from tempseg_mm.models.generator_weights import PREFIX, require_same_architecture

RESUMED = ('meta', 'message_hub', 'optimizer')


def make_plain(checkpoint: dict) -> None:
    """Replace, in place, whatever is not plain: buffers of the log by lists, NumPy's arrays by tensors and its scalars
    by Python's, other kinds of dicts by plain ones.

    Raises:
        TypeError: naming what cannot be replaced. Such a checkpoint could be written, but never read.
    """
    hub = checkpoint['message_hub']
    hub['log_scalars'] = {
        name: dict(values=buffer.data[0].tolist(), counts=buffer.data[1].tolist(), max_length=buffer.max_length)
        for name, buffer in hub['log_scalars'].items()}
    for name in checkpoint.keys() - {'state_dict'}:  # tensors; and mmengine has hung the versions of modules on it
        checkpoint[name] = _plain(checkpoint[name], f'checkpoint[{name!r}]')


def rebuild(message_hub: dict) -> None:
    """Make buffers of the log again of what :func:`make_plain` made of them, in place."""
    message_hub['log_scalars'] = {
        name: HistoryBuffer(saved['values'], saved['counts'], saved['max_length'])
        for name, saved in message_hub['log_scalars'].items()}


def accept(checkpoint: dict, own: Mapping[str, Tensor], told: str = '', *, resume: bool = False) -> bool:
    """Make a checkpoint that was read ready for mmengine to load, in place: the rest of the model beside a generator
    alone, buffers of the log.

    Args:
        checkpoint: or a state dict.
        own: weights of the model that it will be loaded into.
        told: what the file says of itself, for the error.
        resume: whether training is to go on from it.

    Returns:
        Whether it holds a generator alone.

    Raises:
        ValueError: for weights of another architecture, and for weights alone where training is to go on.
    """
    weights = checkpoint.get('state_dict', checkpoint)
    generator_alone = complete_generator(weights, own)
    try:
        require_same_architecture(weights, own)
    except ValueError as error:
        raise ValueError(f'{error}{told}') from error
    if resume:
        require_resumable(checkpoint)
    if 'message_hub' in checkpoint:
        rebuild(checkpoint['message_hub'])
    return generator_alone


def complete_generator(weights: dict[str, Tensor], own: Mapping[str, Tensor]) -> bool:
    """Add to the weights of a generator alone what the rest of the model has, in place, so that loading changes nothing
    of it. Other weights stay as they are.

    Args:
        weights: of a file.
        own: of the model that they will be loaded into.

    Returns:
        Whether they are of a generator alone, as ``save_generator`` writes it, and the model has more than that.
    """
    rest = {name: value for name, value in own.items() if not name.startswith(PREFIX)}
    alone = bool(weights and rest) and all(name.startswith(PREFIX) for name in weights)
    if alone:
        weights.update(rest)
    return alone


def require_resumable(checkpoint: Mapping) -> None:
    """Check that a checkpoint holds more than weights.

    Raises:
        ValueError: naming what it lacks.
    """
    lacking = [name for name in RESUMED if name not in checkpoint]
    if lacking:
        raise ValueError(f'the checkpoint holds no {", ".join(lacking)}, so training cannot go on from it: name a '
                         'checkpoint iter_*.pth of a training run, or start again from these weights with '
                         '--cfg-options load_from=<file> instead of --resume')


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    elif isinstance(value, np.ndarray):
        value = torch.from_numpy(value.copy()) if value.dtype.kind in 'buif' else value.tolist()
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if value is None or isinstance(value, (torch.Tensor, torch.Size, torch.dtype)):
        return value
    if isinstance(value, Mapping):
        kind = OrderedDict if isinstance(value, OrderedDict) else dict
        return kind((_plain(key, where), _plain(part, f'{where}[{key!r}]')) for key, part in value.items())
    if isinstance(value, (list, tuple)):
        parts = [_plain(part, f'{where}[{i}]') for i, part in enumerate(value)]
        return parts if isinstance(value, list) else tuple(parts)
    raise TypeError(f'{where} is a {type(value).__module__}.{type(value).__qualname__}, which torch.load(weights_only='
                    'True) would refuse: keep numbers, text, tensors, and lists and dicts of them in a checkpoint')
