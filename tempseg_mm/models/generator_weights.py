"""The generator's weights alone: read from whatever file holds them, compared with a model's, written at half the size.

Called by the inferencer, the export and the hook that guards checkpoints. Relies on
:func:`~tempseg_mm.runtime.weight_files.read_checkpoint`, so nothing in a file is executed.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn

from tempseg_mm.runtime.atomic import written_beside
from tempseg_mm.runtime.weight_files import local_weights, read_checkpoint

PREFIX, ADVERSARY = 'generator.', 'adversary.'  # of the keys of a TempSegGAN
SUFFIX = '.safetensors'
LONGEST_TOLD = 80  # characters of what messages repeat of a file's metadata


def require_same_architecture(saved: Mapping, wanted: Mapping) -> None:
    """Compare names and shapes of two state dicts.

    Raises:
        ValueError: listing the first keys that are missing, unknown or of another shape.
    """
    faults = [f'missing {key} {tuple(wanted[key].shape)}' for key in wanted if key not in saved]
    faults += [f'unknown {key} {tuple(saved[key].shape)}' for key in saved if key not in wanted]
    faults += [f'{key} is {tuple(saved[key].shape)}, the model has {tuple(wanted[key].shape)}'
               for key in wanted if key in saved and saved[key].shape != wanted[key].shape]
    if faults:
        more = f' ... and {len(faults) - 5} more' if len(faults) > 5 else ''
        raise ValueError('the checkpoint is of another architecture than the config: ' + '; '.join(faults[:5]) + more
                         + '. Use the config (width, reference_mask, backbone, decoder) that it was trained with.')


def load_generator(model: nn.Module, source: str | Path, *, sha256: str | None = None, adversary: bool = False
                   ) -> dict:
    """Load ``model.generator`` from a file.

    Args:
        model: a ``TempSegGAN``.
        source: path or URL of a training checkpoint, a state dict of the whole model (what is not the generator's is
            left aside), or of the generator alone, its keys with ``generator.`` in front or without; ``.pth`` or
            ``.safetensors``. Of any floating type: the model keeps its own.
        sha256: see :func:`~tempseg_mm.runtime.weight_files.read_weights`.
        adversary: load ``model.adversary`` too, if the model and the file have one: fine-tuning may ask it.

    Returns:
        What the file tells of itself: the ``meta`` of a training checkpoint, else see :func:`read_metadata`.

    Raises:
        FileNotFoundError: if there is no such file.
        OSError: if a URL cannot be reached.
        ValueError: for another digest, a file without weights, or weights of another architecture; then the message
            says what the file itself tells of its config.
    """
    path = local_weights(str(source), sha256=sha256)
    content = read_checkpoint(str(path))
    weights = content.get('state_dict', content)
    parts = [(model.generator, _generator_part(weights))]
    judges = {key.removeprefix(ADVERSARY): value for key, value in weights.items() if key.startswith(ADVERSARY)}
    if adversary and judges and model.adversary is not None:
        parts.append((model.adversary, judges))
    try:
        for part, values in parts:
            require_same_architecture(values, part.state_dict())
    except ValueError as error:
        raise ValueError(f'{path}: {error}{told_by(path)}') from error
    for part, values in parts:
        part.load_state_dict(values)
    meta = content.get('meta')
    return meta if isinstance(meta, dict) else read_metadata(path)


def save_generator(model: nn.Module, path: str | Path, *, half: bool = True,
                   metadata: Mapping[str, str] | None = None) -> None:
    """Write ``model.generator`` as safetensors, its keys with ``generator.`` in front. The file appears whole.

    Args:
        model: a ``TempSegGAN``.
        path: the file, ending in ``.safetensors``; its folder is made.
        half: store float16, which keeps 11 bits of each weight; tensors with a value beyond its range (65504) and
            those that are not floating stay as they are.
        metadata: what the file tells of itself, see :func:`read_metadata`.

    Raises:
        ValueError: for another suffix.
    """
    if Path(path).suffix != SUFFIX:
        raise ValueError(f'the name must end in {SUFFIX}, got {Path(path).name!r}')
    tensors = {PREFIX + key: _stored(value, half) for key, value in model.generator.state_dict().items()}
    with written_beside(path) as beside:
        beside.write_bytes(save(tensors, metadata=dict(metadata or {})))  # `save_file` hides it from other users


def read_metadata(path: str | Path) -> dict:
    """Name -> text that a ``.safetensors`` file tells of itself; empty for any other file."""
    if Path(path).suffix != SUFFIX:
        return {}
    with safe_open(path, 'pt') as file:
        return file.metadata() or {}


def told_by(path: str | Path) -> str:
    """A sentence of what a file tells of itself in a few words, after a space; empty if it tells nothing."""
    told = ', '.join(f'{name} {value}' for name, value in sorted(read_metadata(path).items())
                     if len(value) <= LONGEST_TOLD)
    return f' The file says of itself: {told}.' if told else ''


def _generator_part(weights: Mapping[str, Tensor]) -> dict:
    of_model = {key.removeprefix(PREFIX): value for key, value in weights.items() if key.startswith(PREFIX)}
    return of_model or dict(weights)


def _stored(value: Tensor, half: bool) -> Tensor:
    value = value.detach().cpu().contiguous()  # safetensors takes no other layout
    if half and value.dtype == torch.float32:
        halved = value.half()
        # The variance of a map may lie beyond the range of float16.
        value = halved if torch.equal(halved.isfinite(), value.isfinite()) else value
    return value
