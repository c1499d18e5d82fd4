"""From a config to what segments: the network with its weights, and the hooks that masks depend on."""

import copy
import os
from dataclasses import dataclass, field

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.hooks import Hook
from mmengine.runner import get_priority
from torch import nn

from tempseg_mm.apis.config import load_config
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

FROM_SCRATCH = ('No trained weights were given: the network learns from the given masks alone, starting from random '
                'numbers. Objects that look unlike what surrounds them come out well, others only roughly; a '
                'checkpoint of tempseg-train (--checkpoint) does better in fewer steps.')


@dataclass
class Loaded:
    """What segments, and what is to be said of it.

    Attributes:
        segmenter: with the network in eval mode, on its device.
        checkpoint: where the weights are from; ``None``: from scratch.
        notices: sentences that the user should read.
        settings: what masks depend on, of types that JSON knows.
    """
    segmenter: Segmenter
    checkpoint: str | None = None
    notices: list = field(default_factory=list)
    settings: dict = field(default_factory=dict)

    @property
    def guess(self) -> Guess | None:
        """What the network takes for the object in a rough mask, for ``select_object``; ``None``: it is not trained, or
        looks at no mask."""
        model = self.segmenter.model
        return object_finder(model) if self.checkpoint and model.uses_reference else None


def find_config(config: str | os.PathLike | dict | Config, options: dict | None = None) -> Config:
    """A config from its file, which may be named as seen from the folder of the project.

    Raises:
        FileNotFoundError: if there is none.
        UnknownSettingError: for settings that nothing reads.
    """
    if isinstance(config, (str, os.PathLike)):
        return load_config(os.fspath(config), options=options)
    cfg = copy.deepcopy(config) if isinstance(config, Config) else Config(copy.deepcopy(config))
    refuse(merge_and_check(cfg, options), cfg.filename or 'the config')
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


def load_segmenter(cfg: Config, checkpoint: str | None = None, device: str | None = None, *,
                   steps: float | None = None, size: Size = None, tta: bool = False, crf: bool = False, seed: int = 0
                   ) -> Loaded:
    """Build everything.

    Args:
        cfg: of a test. Hooks of it with a stage of ``MASK_STAGES`` act here as they do there, whatever their type.
        checkpoint: see :func:`weights_to_start_from`.
        device: ``None``: the GPU if there is one.
        steps: of fine-tuning; below 1: that share of those of the config; ``None``: those of the config.
        size: working size; ``None``: that of the config's test, whose shorter side counts, so that frames of another
            shape are not distorted.
        tta: test-time augmentation, as ``tempseg-test --tta`` has it.
        crf: the CRF, as ``tempseg-test --crf`` has it.
        seed: of all random draws.

    Raises:
        FileNotFoundError: if there is no such checkpoint.
        ValueError: for weights of another architecture, a size or a number of steps that is none.
        ImportError: if the CRF is asked for and not installed.
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
    segmenter = Segmenter.with_hooks(model.to(device).eval(), [hook for hook, _ in hooks], size=size, seed=seed,
                                     channels_last=torch.device(device).type == 'cpu')
    if steps is not None:
        _set_steps(segmenter, steps)
    settings = dict(
        config=os.path.relpath(cfg.filename, ROOT) if cfg.filename else 'dict',
        checkpoint=weights and seen_from_project(weights), weights=_in_few_words(told), device=str(device),
        threads=torch.get_num_threads(), seed=seed, steps=segmenter.finetuner.steps if segmenter.finetuner else 0,
        size=size, model=cfg.model.to_dict(), hooks=[shown for _, shown in hooks])
    return Loaded(segmenter, weights, _notices(cfg, weights, told), settings)


def mask_hooks(cfg: Config) -> list[tuple[Hook, dict]]:
    """The hooks of a config that masks depend on, in order of priority, each with its settings.

    Args:
        cfg: its ``default_hooks`` and ``custom_hooks``.

    Raises:
        ValueError: for a hook with a method whose name is nearly a stage.
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
        raise ValueError('steps of fine-tuning are a whole number, or below 1 a share of those of the config; got '
                         f'{steps}')
    if segmenter.finetuner is None:
        raise ValueError(f'{steps} steps of fine-tuning are asked for, but the config has no default_hooks.finetune')
    is_share = 0 < steps < 1
    segmenter.finetuner.steps = max(1, round(steps * segmenter.finetuner.steps)) if is_share else int(steps)


def _notices(cfg: Config, weights: str | None, told: dict) -> list:
    if weights is None:
        return [FROM_SCRATCH]
    other = other_recipe(told, recipe_of(cfg.to_dict(), 'test'), seen_from_project(weights))
    return [f'{other}.'] if other else []


def _in_few_words(told: dict) -> dict | None:
    """Without the settings of a training."""
    return {name: value for name, value in told.items() if isinstance(value, str) and name not in (KEY, 'cfg')} or None


def _load(model: nn.Module, weights: str, *, named: bool) -> dict:
    try:
        return load_generator(model, weights, adversary=True)
    except ValueError as error:
        if named:
            raise
        raise ValueError(f"{error} It is the config that names these weights: name others, or 'none' to start without "
                         '(--checkpoint none).') from error


DEFAULT_CONFIG = 'configs/segment_video.py'  # its `checkpoint` names the weights that come with the project
SCRATCH_CONFIG = 'configs/segment_video_scratch.py'


def default_config(checkpoint: str | None = None, options: dict | None = None) -> Config:
    """The one that suits the weights.

    Random numbers take more steps of fine-tuning than trained weights, of cross-entropy alone, so there is a config for
    each. Without weights it is the latter, if there is one: for ``checkpoint='none'``, and
    where the file is missing that the former names.

    Args:
        checkpoint: as for :func:`~.loading.load_segmenter`.
        options: settings to override, by dotted name.

    Raises:
        FileNotFoundError: if there is no such config, or no such checkpoint.
    """
    cfg = find_config(DEFAULT_CONFIG, options)
    if weights_to_start_from(cfg, checkpoint) is None and os.path.isfile(find_file(SCRATCH_CONFIG)):
        return find_config(SCRATCH_CONFIG, options)
    return cfg
