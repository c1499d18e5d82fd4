"""From a config to what segments: the network with its weights, the fine-tuner, the CRF, the working size."""

import copy
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import MMLogger
from torch import nn

from tempseg_mm.apis.config import load_config
from tempseg_mm.apis.overrides import merge_overrides
from tempseg_mm.apis.testing import choose_checkpoint
from tempseg_mm.engine.hooks.tta_hook import TTAHook
from tempseg_mm.inference.online_finetuner import OnlineFinetuner
from tempseg_mm.inference.tta import finetune_augment
from tempseg_mm.models.generator_weights import load_generator
from tempseg_mm.ops.dense_crf import DenseCRF
from tempseg_mm.ops.resize import Size, target_size
from tempseg_mm.registry import MODELS, TASK_UTILS
from tempseg_mm.runtime.project_files import ROOT, find_file, seen_from_project
from tempseg_mm.runtime.random_state import own_randomness

FROM_SCRATCH = ('No trained weights were given: the network learns from the given masks alone, starting from random '
                'numbers. Objects that look unlike what surrounds them come out well, others only roughly; a '
                'checkpoint of tools/train.py (--checkpoint) does better in fewer steps.')


@dataclass
class Segmenter:
    """What segments, with its settings.

    Attributes:
        model: a ``TempSegGAN`` in eval mode, on its device.
        finetuner: adapts it to an object.
        size: working size.
        crf: refines masks; ``None``: none does.
        checkpoint: where the weights are from; ``None``: from scratch.
        notices: sentences that the user should read.
        settings: what masks depend on, of types that JSON knows.
    """
    model: nn.Module
    finetuner: OnlineFinetuner
    size: Size
    crf: DenseCRF | None = None
    checkpoint: str | None = None
    notices: list = field(default_factory=list)
    settings: dict = field(default_factory=dict)


def find_config(config: str | os.PathLike | dict | Config, options: dict | None = None) -> Config:
    """A config from its file, which may be named as seen from the folder of the project.

    Raises:
        FileNotFoundError: if there is none.
    """
    if isinstance(config, (str, os.PathLike)):
        return load_config(find_file(config), options=options)
    cfg = copy.deepcopy(config) if isinstance(config, Config) else Config(copy.deepcopy(config))
    merge_overrides(cfg, options or {})
    cfg.setdefault('work_dir', 'work_dirs/segment_video')
    return cfg


def weights_to_start_from(cfg: Config, checkpoint: str | None = None) -> str | None:
    """Path of the weights; ``None``: random numbers.

    Args:
        cfg: its ``checkpoint`` counts where none is named, if it is a file.
        checkpoint: see :func:`~tempseg_mm.apis.testing.choose_checkpoint`.

    Raises:
        FileNotFoundError: if a folder that is named has no checkpoint.
    """
    if checkpoint:
        return choose_checkpoint(cfg, checkpoint)
    path = find_file(cfg.get('checkpoint') or '')
    return path if os.path.isfile(path) else None


def load_segmenter(cfg: Config, checkpoint: str | None = None, device: str | None = None, *, steps: int | None = None,
                   size: Size = None, tta: bool = False, crf: bool = False, seed: int = 0) -> Segmenter:
    """Build everything.

    Args:
        cfg: of a test.
        checkpoint: see :func:`weights_to_start_from`.
        device: ``None``: the GPU if there is one.
        steps: of fine-tuning; ``None``: those of the config.
        size: working size; ``None``: that of the config's test, whose shorter side counts, so that frames of another
            shape are not distorted.
        tta: test-time augmentation as ``TTAHook`` does it. A config with that hook does so anyway.
        crf: the CRF with the settings of the config. A config with a ``CRFHook`` uses it anyway.
        seed: of all random draws.

    Raises:
        FileNotFoundError: if there is no such checkpoint.
        ValueError: for weights of another architecture, a size or a number of steps that is none.
        ImportError: if the CRF is asked for and not installed.
    """
    hooks = {hook['type']: hook for hook in (cfg.get('default_hooks') or {}).values() if hook}
    size = _working_size(cfg) if size is None else size
    target_size(size, (1, 1))
    device = device or get_device()
    weights = weights_to_start_from(cfg, checkpoint)
    with own_randomness(seed, 'initialisation'):
        model = MODELS.build(cfg.model)
        if weights is None:
            with _quiet():
                model.init_weights()
    told = _load(model, weights, named=bool(checkpoint)) if weights is not None else {}
    finetuner = TASK_UTILS.build(hooks.get('OnlineFinetuneHook', {}).get('finetuner') or dict(type='OnlineFinetuner'))
    if steps is not None:
        if steps < 0:
            raise ValueError(f'steps of fine-tuning must be at least 0, got {steps}')
        finetuner.steps = steps
    tta = tta or 'TTAHook' in hooks
    if tta:
        _augment(model, finetuner, hooks.get('TTAHook', {}))
    crf_cfg = hooks.get('CRFHook', {}).get('crf') or (cfg.get('crf') if crf else None)
    crf_cfg = crf_cfg or (dict(type='DenseCRF') if crf or 'CRFHook' in hooks else None)
    settings = dict(
        config=os.path.relpath(cfg.filename, ROOT) if cfg.filename else 'dict',
        checkpoint=weights and seen_from_project(weights), weights=told or None, device=str(device),
        threads=torch.get_num_threads(), seed=seed, steps=finetuner.steps, size=size, tta=tta,
        crf=crf_cfg and dict(crf_cfg), model=cfg.model.to_dict(), finetuner=dict(hooks.get('OnlineFinetuneHook', {})))
    return Segmenter(model.to(device).eval(), finetuner, size, crf_cfg and TASK_UTILS.build(crf_cfg), weights,
                     [] if weights else [FROM_SCRATCH], settings)


@contextmanager
def _quiet() -> Iterator[None]:
    """mmengine logs three lines for each layer that it initialises."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel('WARNING')
    try:
        yield
    finally:
        logger.setLevel(level)


def _working_size(cfg: Config) -> Size:
    size = cfg.get('test_dataloader', {}).get('dataset', {}).get('size')
    return min(size) if isinstance(size, (tuple, list)) else size


def _load(model: nn.Module, weights: str, *, named: bool) -> dict:
    try:
        return load_generator(model, weights)
    except ValueError as error:
        if named:
            raise
        raise ValueError(f"{error} It is the config that names these weights: name others, or 'none' to start without "
                         '(--checkpoint none).') from error


def _augment(model: nn.Module, finetuner: OnlineFinetuner, hook: dict) -> None:
    """Do for good what ``TTAHook`` does for the length of a test."""
    tta = TTAHook(**{name: value for name, value in hook.items() if name in ('finetune', 'prediction')})
    model.test_time_augmentation = tta.prediction
    finetuner.augment = finetune_augment(finetuner.augment, tta.finetune)
