"""Reads, compares and writes the weights of the generator alone.

The inferencer, the export and the hook that guards checkpoints use it. Files are read with
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

PREFIX, ADVERSARY = 'generator.', 'adversary.'  # prefixes of the keys of a TempSegGAN
SUFFIX = '.safetensors'
LONGEST_TOLD = 80  # messages leave out metadata with more characters


def require_same_architecture(saved: Mapping, wanted: Mapping) -> None:
    """Check that the state dict ``saved`` of a file has the names and shapes of the model's state dict ``wanted``.

    Raises:
        ValueError: listing the first five keys that are missing, unknown or of another shape.
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
        source: path or URL of a ``.pth`` or ``.safetensors`` file. It holds a training checkpoint, a state dict of the
            whole model, or a state dict of the generator, with or without the prefix ``generator.``. Weights of other
            parts are ignored. Any floating type is accepted; the model keeps its own.
        sha256: expected digest, see :func:`~tempseg_mm.runtime.weight_files.read_weights`.
        adversary: load ``model.adversary`` too, if both the model and the file have one. Fine-tuning may need it.

    Returns:
        The ``meta`` of a training checkpoint, otherwise the result of :func:`read_metadata`.

    Raises:
        FileNotFoundError: if there is no such file.
        OSError: if a URL cannot be reached.
        ValueError: if the digest differs, the file has no weights, or they are of another architecture. In the last
            case the message includes what the file's metadata say about its config.
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
    """Write ``model.generator`` as safetensors, with the prefix ``generator.`` on each key. The write is atomic.

    Args:
        model: a ``TempSegGAN``.
        path: the file, which must end in ``.safetensors``. Its folder is created.
        half: store float16, which keeps 11 bits of each weight. Tensors with a value above 65504, the largest float16,
            and tensors that are not floating stay as they are.
        metadata: texts to store in the file by name, see :func:`read_metadata`.

    Raises:
        ValueError: if the suffix is another one.
    """
    if Path(path).suffix != SUFFIX:
        raise ValueError(f'the file name must end in {SUFFIX}, got {Path(path).name!r}')
    tensors = {PREFIX + key: _stored(value, half) for key, value in model.generator.state_dict().items()}
    with written_beside(path) as beside:
        beside.write_bytes(save(tensors, metadata=dict(metadata or {})))  # `save_file` lets no other user read it


def read_metadata(path: str | Path) -> dict:
    """Return the metadata of a ``.safetensors`` file as name -> text, and an empty dict for any other file."""
    if Path(path).suffix != SUFFIX:
        return {}
    with safe_open(path, 'pt') as file:
        return file.metadata() or {}


def told_by(path: str | Path) -> str:
    """Return one sentence with the short metadata of a file, after a space; an empty text if it has none."""
    told = ', '.join(f'{name} {value}' for name, value in sorted(read_metadata(path).items())
                     if len(value) <= LONGEST_TOLD)
    return f' The metadata of the file: {told}.' if told else ''


def _generator_part(weights: Mapping[str, Tensor]) -> dict:
    of_model = {key.removeprefix(PREFIX): value for key, value in weights.items() if key.startswith(PREFIX)}
    return of_model or dict(weights)


def _stored(value: Tensor, half: bool) -> Tensor:
    value = value.detach().cpu().contiguous()  # safetensors takes no other layout
    if half and value.dtype == torch.float32:
        halved = value.half()
        # The running variance of a map may exceed the range of float16.
        value = halved if torch.equal(halved.isfinite(), value.isfinite()) else value
    return value
