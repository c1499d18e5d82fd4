"""Builds the segmenter of a config: the network with its weights, and the hooks that determine masks."""

import copy
import os
from dataclasses import dataclass, field

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.hooks import Hook
from mmengine.runner import get_priority
from torch import nn

from tempseg_mm.apis.config import load_config, settle_hooks
from tempseg_mm.apis.testing import choose_checkpoint, switch_on
from tempseg_mm.engine.recipe import KEY, other_recipe, recipe_of, shorter_side
from tempseg_mm.engine.stages import MASK_STAGES, check_stage_names
from tempseg_mm.inference.rough_mask import object_finder
from tempseg_mm.inference.segmenter import Segmenter
from tempseg_mm.models.generator_weights import load_generator
from tempseg_mm.ops.resize import Size, target_size
from tempseg_mm.registry import HOOKS, MODELS
from tempseg_mm.runtime.project_files import ROOT, find_file, seen_from_project
from tempseg_mm.runtime.random_state import own_randomness
from tempseg_mm.runtime.terminal import without_logging
from tempseg_mm.settings.keys import merge_and_check, refuse
from tempseg_mm.sources.selection import Guess

FROM_SCRATCH = ('No trained weights were given: the network learns from the given masks alone, from random '
                'weights. Objects that differ clearly from their surroundings come out well, others only roughly. A '
                'checkpoint of tempseg-train (--checkpoint) gives better masks in fewer steps.')


@dataclass
class Loaded:
    """A segmenter, with notices and settings for the result.

    Attributes:
        segmenter: segmenter with the network in eval mode, on its device.
        checkpoint: file of the weights; ``None`` if they are from scratch.
        notices: sentences for the user.
        settings: settings that determine the masks, of types that JSON can store.
    """
    segmenter: Segmenter
    checkpoint: str | None = None
    notices: list = field(default_factory=list)
    settings: dict = field(default_factory=dict)

    @property
    def guess(self) -> Guess | None:
        """Finder of the object in a rough mask, for ``select_object``; ``None`` if the network is not trained or reads
        no mask.
        """
        model = self.segmenter.model
        return object_finder(model) if self.checkpoint and model.uses_reference else None


def find_config(config: str | os.PathLike | dict | Config, options: dict | None = None) -> Config:
    """Return a copy of a config, or load its file (relative to the working or the project's folder), with overrides.

    Raises:
        FileNotFoundError: if there is no such file.
        UnknownSettingError: if nothing reads a setting.
    """
    if isinstance(config, (str, os.PathLike)):
        return load_config(os.fspath(config), options=options)
    cfg = copy.deepcopy(config) if isinstance(config, Config) else Config(copy.deepcopy(config))
    refuse(merge_and_check(cfg, options), cfg.filename or 'the config')
    settle_hooks(cfg)
    cfg.setdefault('work_dir', 'work_dirs/segment_video')
    return cfg


def weights_to_start_from(cfg: Config, checkpoint: str | None = None) -> str | None:
    """Return the path of the weights; ``None`` for weights from scratch.

    Args:
        cfg: config; its ``checkpoint`` counts if none is named here and the file exists.
        checkpoint: see :func:`~tempseg_mm.apis.testing.choose_checkpoint`.

    Raises:
        FileNotFoundError: if a named folder has no checkpoint.
    """
    if checkpoint:
        return choose_checkpoint(cfg, checkpoint)
    path = find_file(cfg.get('checkpoint') or '')
    return path if os.path.isfile(path) else None


def load_segmenter(cfg: Config, checkpoint: str | None = None, device: str | None = None, *,
                   steps: float | None = None, size: Size = None, tta: bool = False, crf: bool = False, seed: int = 0
                   ) -> Loaded:
    """Build the segmenter of a config, with its network, weights and hooks.

    Args:
        cfg: config of a test. Its hooks with a stage of ``MASK_STAGES`` act here as in the test, whatever their type.
        checkpoint: see :func:`weights_to_start_from`.
        device: device of the network; ``None`` for the GPU if there is one.
        steps: fine-tuning steps. A value below 1 is a share of the config's steps, and nothing is learnt on the way;
            ``None`` for the config's steps.
        size: working size; ``None`` for the size in the config's test. Only its shorter side counts, so that frames of
            another shape are not distorted.
        tta: use test-time augmentation, as ``tempseg-test --tta`` does.
        crf: use the CRF, as ``tempseg-test --crf`` does.
        seed: seed of all random draws.

    Raises:
        FileNotFoundError: if there is no such checkpoint.
        ValueError: if the weights have another architecture, or the size or the number of steps is invalid.
        ImportError: if the CRF is requested but not installed.
    """
    cfg = copy.deepcopy(cfg)
    if tta:
        switch_on(cfg, 'tta', dict(type='TTAHook'))
    if crf:
        switch_on(cfg, 'crf', dict(type='CRFHook', crf=cfg.get('crf')))
    size = shorter_side(cfg.get('test_dataloader', {}).get('dataset', {}).get('size')) if size is None else size
    target_size(size, (1, 1))
    device = device or get_device()
    weights = weights_to_start_from(cfg, checkpoint)
    with own_randomness(seed, 'initialisation'):
        model = MODELS.build(cfg.model)
        if weights is None:
            with without_logging():
                model.init_weights()
    told = _load(model, weights, named=bool(checkpoint)) if weights is not None else {}
    hooks = mask_hooks(cfg)
    segmenter = Segmenter.with_hooks(model.to(device).eval(), [hook for hook, _ in hooks], size=size, seed=seed)
    if steps is not None:
        _set_steps(segmenter, steps)
    settings = dict(
        config=os.path.relpath(cfg.filename, ROOT) if cfg.filename else 'dict',
        checkpoint=weights and seen_from_project(weights), weights=_in_few_words(told), device=str(device),
        threads=torch.get_num_threads(), seed=seed, steps=segmenter.finetuner.steps if segmenter.finetuner else 0,
        size=size, model=cfg.model.to_dict(), hooks=[shown for _, shown in hooks])
    return Loaded(segmenter, weights, _notices(cfg, weights, told), settings)


def mask_hooks(cfg: Config) -> list[tuple[Hook, dict]]:
    """Return the hooks of a config that determine masks, in order of priority, each with its settings.

    Raises:
        ValueError: if a hook has a method whose name is nearly a stage.
    """
    entries = [*(cfg.get('default_hooks') or {}).values(), *(cfg.get('custom_hooks') or [])]
    entries = [entry for entry in entries if entry]
    classes = [type(entry) if isinstance(entry, Hook) else _class_of(entry['type']) for entry in entries]
    check_stage_names(classes)
    found = []
    for entry, cls in zip(entries, classes, strict=True):
        if any(hasattr(cls, stage) for stage in MASK_STAGES):
            if isinstance(entry, Hook):
                found.append((entry, dict(type=cls.__name__), entry.priority))
            else:
                settings = {name: value for name, value in entry.items() if name != 'priority'}
                found.append((HOOKS.build(settings), settings, entry.get('priority', cls.priority)))
    return [(hook, settings) for hook, settings, _ in sorted(found, key=lambda one: get_priority(one[2]))]


def _class_of(named: str | type) -> type:
    return HOOKS.get(named) if isinstance(named, str) else named


def _set_steps(segmenter: Segmenter, steps: float) -> None:
    if steps < 0:
        raise ValueError(f'steps of fine-tuning must be at least 0, got {steps}')
    if steps > 1 and steps != int(steps):
        raise ValueError('steps of fine-tuning must be a whole number, or a number below 1, which is a share of the '
                         f'steps in the config; got {steps}')
    if segmenter.finetuner is None:
        raise ValueError(f'{steps} steps of fine-tuning were requested, but the config has no default_hooks.finetune')
    if 0 < steps < 1:
        steps, segmenter.adaptation = max(1, round(steps * segmenter.finetuner.steps)), None
    segmenter.finetuner.limit(int(steps))


def _notices(cfg: Config, weights: str | None, told: dict) -> list:
    if weights is None:
        return [FROM_SCRATCH]
    other = other_recipe(told, recipe_of(cfg.to_dict(), 'test'), seen_from_project(weights))
    return [f'{other}.'] if other else []


def _in_few_words(told: dict) -> dict | None:
    """Return the short texts of a checkpoint's metadata, without the settings of its training."""
    return {name: value for name, value in told.items() if isinstance(value, str) and name not in (KEY, 'cfg')} or None


def _load(model: nn.Module, weights: str, *, named: bool) -> dict:
    try:
        return load_generator(model, weights, adversary=True)
    except ValueError as error:
        if named:
            raise
        raise ValueError(f'{error} The config names these weights: choose others with --checkpoint, or --checkpoint '
                         'none to start from scratch.') from error


DEFAULT_CONFIG = 'configs/segment_video.py'  # its `checkpoint` names the weights that come with the project
SCRATCH_CONFIG = 'configs/segment_video_scratch.py'


def default_config(checkpoint: str | None = None, options: dict | None = None) -> Config:
    """Return the default config that suits the weights.

    Weights from scratch need more fine-tuning steps and cross-entropy as their only loss, so they have their own
    config. It is used, if it exists, for ``checkpoint='none'`` and if the weights that the other config names are
    missing.

    Args:
        checkpoint: as for :func:`load_segmenter`.
        options: overrides by dotted key.

    Raises:
        FileNotFoundError: if there is no such config or checkpoint.
    """
    cfg = find_config(DEFAULT_CONFIG, options)
    if weights_to_start_from(cfg, checkpoint) is None and os.path.isfile(find_file(SCRATCH_CONFIG)):
        return find_config(SCRATCH_CONFIG, options)
    return cfg
