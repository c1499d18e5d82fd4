"""Converts the contents of checkpoints when they are written and read. ``AtomicCheckpointHook`` uses it.

A checkpoint holds plain types only, so that ``torch.load(weights_only=True)`` of any torch version reads it. mmengine
puts ``HistoryBuffer`` objects and NumPy scalars into the ``message_hub`` of a checkpoint, which ``torch.load`` rejects.
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
    """Replace everything that is not plain, in place.

    Buffers of the log become lists, NumPy arrays become tensors, NumPy scalars become Python scalars, and other kinds
    of dicts become plain dicts.

    Raises:
        TypeError: naming a value that cannot be replaced. Such a checkpoint could be written but never read.
    """
    hub = checkpoint['message_hub']
    hub['log_scalars'] = {
        name: dict(values=buffer.data[0].tolist(), counts=buffer.data[1].tolist(), max_length=buffer.max_length)
        for name, buffer in hub['log_scalars'].items()}
    for name in checkpoint.keys() - {'state_dict'}:  # holds tensors, and mmengine's metadata with module versions
        checkpoint[name] = _plain(checkpoint[name], f'checkpoint[{name!r}]')


def rebuild(message_hub: dict) -> None:
    """Turn the lists made by :func:`make_plain` back into buffers of the log, in place."""
    message_hub['log_scalars'] = {
        name: HistoryBuffer(saved['values'], saved['counts'], saved['max_length'])
        for name, saved in message_hub['log_scalars'].items()}


def accept(checkpoint: dict, own: Mapping[str, Tensor], told: str = '', *, resume: bool = False) -> bool:
    """Prepare a checkpoint that was read, in place, so that mmengine can load it.

    The weights of a generator alone are completed with the rest of the model, and buffers of the log are rebuilt.

    Args:
        checkpoint: a checkpoint or a state dict.
        own: weights of the model that will load it.
        told: sentence about the metadata of the file, for the error message.
        resume: whether training resumes from it.

    Returns:
        Whether it holds a generator alone.

    Raises:
        ValueError: if the weights are of another architecture, or if training resumes and the file holds only weights.
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
    """Complete the weights of a generator alone, in place, with the model's own weights of all other parts.

    Loading then leaves the other parts unchanged. Weights that are not of a generator alone do not change.

    Args:
        weights: weights from a file.
        own: weights of the model that will load them.

    Returns:
        Whether the weights are of a generator alone, as ``save_generator`` writes them, and the model has other parts.
    """
    rest = {name: value for name, value in own.items() if not name.startswith(PREFIX)}
    alone = bool(weights and rest) and all(name.startswith(PREFIX) for name in weights)
    if alone:
        weights.update(rest)
    return alone


def require_resumable(checkpoint: Mapping) -> None:
    """Check that a checkpoint holds more than weights.

    Raises:
        ValueError: naming the missing parts.
    """
    lacking = [name for name in RESUMED if name not in checkpoint]
    if lacking:
        raise ValueError(f'the checkpoint holds no {", ".join(lacking)}, so training cannot resume from it. Name a '
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
                    'True) would refuse. Put only numbers, text, tensors, and lists and dicts of them in a checkpoint')
