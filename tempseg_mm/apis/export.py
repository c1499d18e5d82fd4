"""Exports the generator of a config and a checkpoint to one file, for ``tempseg-export``."""

import json
import os
import os.path as osp
from dataclasses import dataclass
from importlib import import_module

import torch
from mmengine.config import Config
from torch import nn

from tempseg_mm.engine.recipe import KEY, other_recipe, recipe_of, told_recipe
from tempseg_mm.inference.generator_export import (
    FRAMES_OF_SCENE,
    RENDERED_SCENES,
    changed_masks,
    largest_difference,
    write_onnx,
    write_torchscript,
)
from tempseg_mm.models.generator_weights import load_generator, save_generator
from tempseg_mm.registry import MODELS
from tempseg_mm.runtime.folder_lock import locked_file
from tempseg_mm.runtime.terminal import without_logging

SUFFIXES = dict(torchscript='.pt', onnx='.onnx', safetensors='.safetensors')


@dataclass(frozen=True)
class ExportedGenerator:
    """A written generator file.

    Attributes:
        path: path of the file.
        num_bytes: its size in bytes.
        difference: largest difference between its probabilities and the model's, on random frames of several odd sizes.
        masks_changed: for safetensors, the share of object pixels that change in the masks, see
            :func:`~tempseg_mm.inference.generator_export.changed_masks`; ``None`` for other formats.
        notices: sentences for the user.
    """
    path: str
    num_bytes: int
    difference: float
    masks_changed: float | None = None
    notices: tuple = ()

    def __str__(self) -> str:
        masks = '' if self.masks_changed is None else (
            f'; {self.masks_changed:.2%} of the object pixels change in {RENDERED_SCENES * FRAMES_OF_SCENE} rendered '
            'frames' if self.masks_changed else '; its masks are the same')
        return f'{self.path}: {self.num_bytes / 1e6:.1f} MB, within {self.difference:.0e} of the model{masks}'


def export_generator(cfg: Config, file_format: str, *, checkpoint: str | None = None, out: str | None = None,
                     half: bool = True) -> ExportedGenerator:
    """Write the generator of a config to a file. The file appears only if it gives the same results as the model.

    Args:
        cfg: config of a ``TempSegGAN``.
        file_format: ``'torchscript'``, ``'onnx'`` or ``'safetensors'``.
        checkpoint: any file that :func:`~tempseg_mm.models.generator_weights.load_generator` reads; ``None`` for the
            initial weights of an untrained network.
        out: path of the file; default: ``<work dir>/export/generator`` with the suffix of the format.
        half: store safetensors as float16. TorchScript and ONNX files are always float32.

    Raises:
        ValueError: if the format is unknown, the config has no generator, a component cannot be exported, or the
            checkpoint has another architecture.
        FileNotFoundError: if there is no such checkpoint.
        ImportError: if a package for ONNX is missing.
        InUseError: if another run writes the same file.
    """
    if file_format not in SUFFIXES:
        raise ValueError(f'file_format must be one of {", ".join(SUFFIXES)}, got {file_format!r}')
    path = out or osp.join(cfg.get('work_dir') or '.', 'export', 'generator' + SUFFIXES[file_format])
    with locked_file(path, option='--out'):
        model, told = _built(cfg, checkpoint)
        recipe = recipe_of(cfg.to_dict())
        other = other_recipe(told, recipe_of(cfg.to_dict(), 'test'), checkpoint) if checkpoint else None
        trained_with = recipe if checkpoint is None else told_recipe(told)
        metadata, changed = _metadata(cfg, checkpoint, trained_with), None
        if file_format == 'safetensors':
            save_generator(model, path, half=half, metadata=metadata)
            again = build_generator(cfg, path)
            difference, changed = (
                compare(again.predict, model.predict) for compare in (largest_difference, changed_masks))
        else:
            write = dict(torchscript=write_torchscript, onnx=write_onnx)[file_format]
            difference = write(model, path, metadata=metadata)
    return ExportedGenerator(path, os.path.getsize(path), difference, changed, (other,) if other else ())


def build_generator(cfg: Config, checkpoint: str | None = None) -> nn.Module:
    """Build the model of a config with only its generator and normalisation, on the CPU, in evaluation mode.

    It has no adversary, losses or flow, so the weights of these are not needed.

    Raises:
        ValueError: if the config's model has no generator, or the checkpoint has another architecture.
    """
    return _built(cfg, checkpoint)[0]


def _built(cfg: Config, checkpoint: str | None) -> tuple[nn.Module, dict]:
    """Build as :func:`build_generator` does; return the model and the metadata of the checkpoint."""
    model_cfg = cfg.get('model', {})
    if 'generator' not in model_cfg:
        raise ValueError(f'{cfg.filename or "the config"} has no generator: expected model = dict(type=\'TempSegGAN\', '
                         'generator=...), as in configs/tempseg_davis.py')
    preprocessor = model_cfg.get('data_preprocessor') or dict(type='VOSDataPreprocessor')
    torch.manual_seed(cfg.get('randomness', {}).get('seed') or 0)  # most layers draw their weights when they are built
    model = MODELS.build({**model_cfg, 'losses': {}, 'adversary': None, 'data_preprocessor': {
        **preprocessor, 'flow': None}})
    told = {}
    if checkpoint is None:
        with without_logging():
            model.init_weights()
    else:
        told = load_generator(model, checkpoint)
    return model.eval(), told


def _metadata(cfg: Config, checkpoint: str | None, recipe: dict | None) -> dict:
    generator = cfg.model.generator
    return dict(
        project=f'tempseg_mm {import_module("tempseg_mm").__version__}',
        config=osp.basename(cfg.filename or 'unknown'), weights=osp.basename(checkpoint or 'untrained'),
        width=str(generator.get('width', cfg.model.get('width', 1.0))),
        reference_mask=generator.get('reference_mask', 'input'),
        backbone=generator.backbone.type, decoder=generator.decoder.type,
        **({KEY: json.dumps(recipe)} if recipe else {}))
