"""Compares every key of a config with the code that reads it: constructors of components and functions of libraries.

If a component from another package receives a dict, the keys of that dict are not checked.
"""

import importlib
import inspect
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.dist import init_dist
from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.registry import EVALUATOR
from mmengine.runner import Runner
from mmengine.utils.dl_utils import set_multi_processing
from torch.utils.data import DataLoader

from .components import CONSTRUCTOR, REGISTRIES, accepted_keys, component_at

OWN = ('tempseg_mm', 'mmengine', 'torch')  # packages whose constructors build their components from the config as given
EVALUATORS = ('val_evaluator', 'test_evaluator')
ALWAYS = ('type', '_scope_', '_delete_')
# Keys that the Runner and the builders read before a constructor sees the rest, by registry.
BUILDERS_READ = dict(
    HOOKS=('priority',), WEIGHT_INITIALIZERS=('override', 'name', 'layer'), OPTIM_WRAPPERS=('constructor',
    'paramwise_cfg'), PARAM_SCHEDULERS=('convert_to_iter_based', 'epoch_length'))
MMENGINE_HOOKS = ('runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint')
# Keys that Runner.build_dataloader removes before it passes the rest to DataLoader.
LOADER_KEYS = ('num_batch_per_epoch', 'disable_subprocess_warning')
ENV_KEYS = ('cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit')
SCALE_KEYS = ('enable', 'base_batch_size')
IMPORT_KEYS = ('imports', 'allow_failed_imports')
PARAMWISE_KEYS = ('custom_keys', 'bias_lr_mult', 'bias_decay_mult', 'norm_decay_mult', 'flat_decay_mult',
                  'dwconv_decay_mult', 'bypass_duplicate', 'dcn_offset_lr_mult')
# Three kinds of parameters of the project's classes: PARTS hold components though REGISTRIES does not name all of them,
# NAMED_PARTS hold several components by name, ARGUMENTS hold the arguments of a class.
PARTS = (*REGISTRIES, 'generator', 'adversary', 'backbone', 'decoder', 'encoder', 'discriminator')
NAMED_PARTS = ('losses', 'baselines')
ARGUMENTS = {
    ('VOSDataset', 'clip_sampler'): 'tempseg_mm.datasets.samplers.ClipSampler',
    ('ObjectWindow', 'redetection'): 'tempseg_mm.ops.redetection.Redetection',
    ('ObjectWindow', 'surroundings'): 'tempseg_mm.ops.surroundings.Surroundings',
    ('SyntheticVOSDataset', 'scene'): 'tempseg_mm.datasets.synthetic.draw.SceneParams',
    ('LucidClip', 'object_motion'): 'tempseg_mm.datasets.transforms.lucid_motion.LayerMotion',
    ('LucidClip', 'background_motion'): 'tempseg_mm.datasets.transforms.lucid_motion.LayerMotion'}


@dataclass(frozen=True)
class Misfit:
    """A setting that nothing reads.

    Attributes:
        place: keys that lead to the setting.
        wrong: index in ``place`` of the wrong key.
        what: what is wrong with it.
        known: keys that would be right there.
    """
    place: tuple
    wrong: int
    what: str
    known: tuple = ()


class ConfigWalk:
    """Walks the known parts of a config and collects the settings that nothing reads.

    Attributes:
        misfits: the settings that nothing reads.
        known: places of the settings that exist, whether the config gives them or not.
    """

    def __init__(self, cfg: dict) -> None:
        self.misfits: list[Misfit] = []
        self.known: list[tuple] = []
        self._wrappers: dict | None = None
        walks = dict(
            env_cfg=self._environment, randomness=self._randomness, default_hooks=self._hooks,
            param_scheduler=self._schedulers, optim_wrapper=self._optim_wrapper,
            auto_scale_lr=lambda value, place: self._fields(value, place, SCALE_KEYS, 'the Runner'),
            custom_imports=lambda value, place: self._fields(value, place, IMPORT_KEYS, 'mmengine'))
        walks.update({f'{part}_dataloader': self._loader for part in ('train', 'val', 'test')})
        walks.update(dict.fromkeys(EVALUATORS, self._evaluator))
        defaults = dict(log_processor='LogProcessor', model_wrapper_cfg='MMDistributedDataParallel', val_cfg='ValLoop',
                        test_cfg='TestLoop')
        # optim_wrapper comes first, since param_scheduler must use the names of its wrappers.
        for key in sorted(cfg, key=lambda key: key != 'optim_wrapper'):
            value, place = cfg[key], (key,)
            if key in walks:
                walks[key](value, place)
            elif key == 'train_cfg' and isinstance(value, dict) and 'type' not in value:
                kind = 'Epoch' if value.get('by_epoch') else 'Iter'
                self._component(value, place, f'{kind}BasedTrainLoop', ('by_epoch',))
            elif key in REGISTRIES:
                self._components(value, place, defaults.get(key))

    # --- parts of any kind ---

    def _fields(self, value: Any, place: tuple, accepted: Collection, reader: str) -> None:
        """Check a dict without ``type`` whose keys are arguments of ``reader``."""
        if not isinstance(value, dict):
            return
        for key in value:
            if key in accepted or str(key) in ALWAYS:
                self.known += [(*place, key)]
            else:
                self._misfit((*place, key), value[key], f'{reader} takes no {key!r}', accepted)
        self.known += [(*place, key) for key in accepted if key not in value]

    def _components(self, value: Any, place: tuple, default: str | None = None) -> None:
        """Check a component or a list of components."""
        if isinstance(value, (list, tuple)):
            for i, item in enumerate(value):
                self._components(item, (*place, i))
        elif isinstance(value, dict) and value:
            self._component(value, place, default)

    def _named(self, value: Any, place: tuple, known: Collection = ()) -> None:
        """Check components that are given by name; ``None`` leaves one out."""
        self.known += [(*place, key) for key in known]
        for key, item in value.items() if isinstance(value, dict) else ():
            if isinstance(item, dict):
                self._component(item, (*place, key), known=tuple(value))
            elif item is None or not isinstance(item, (bool, int, float, str, list, tuple)):
                self.known.append((*place, key))
            elif key not in ALWAYS:
                self._misfit((*place, key), item, f'a component, dict(type=...), or None is expected, got {item!r}',
                             (*value, *known))

    def _component(self, value: dict, place: tuple, default: str | None = None, extra: Collection = (),
                   known: tuple = ()) -> None:
        """Check a dict with ``type``: its keys are parameters of the component that is built from it."""
        if 'type' not in value and default is None:
            if len(place) == 1:  # its registry refuses it, or it is never built
                self._typed(value, place)
            else:
                known = tuple(name for name in known if name != place[-1])
                self._misfit(place, value, '`type` is missing, so nothing can be built from this', known)
            return
        self.known.append(place)
        name = value.get('type', default)
        evaluates = place[0] in EVALUATORS and 'metrics' in value  # else it is a metric
        builder = EVALUATOR.module_dict.get(str(name)) if evaluates else component_at(place, name)
        accepted = None if builder is None else accepted_keys(builder)
        read_before = (*ALWAYS, *extra, *self._read_by_builders(place))
        for key, item in value.items():
            if key in read_before or accepted is None or key in accepted:
                self.known.append((*place, key))
                self._inside(item, (*place, key), (accepted or {}).get(key))
            else:
                self._misfit((*place, key), item, f'{builder.__name__} takes no {key!r}', tuple(accepted))
        self.known += [(*place, key) for key in accepted or () if key not in value]

    def _inside(self, value: Any, place: tuple, owner: Any) -> None:
        """Check a value that a constructor receives. ``owner`` declares the parameter; it is ``None`` if that is not
        known.
        """
        key, trusted = place[-1], owner is not None and owner.__module__.split('.')[0] in OWN
        arguments = ARGUMENTS.get((getattr(owner, '__name__', ''), key))
        if trusted and arguments:
            module, _, name = arguments.rpartition('.')
            self._fields(value, place, tuple(accepted_keys(getattr(importlib.import_module(module), name))), name)
        elif trusted and key in NAMED_PARTS:
            self._named(value, place)
        elif trusted and key in PARTS and key != 'data_preprocessor':  # BaseModel has a default type for it
            self._components(value, place)
        elif trusted or key in REGISTRIES:
            self._typed(value, place)

    def _typed(self, value: Any, place: tuple) -> None:
        """Check any value: every dict with a ``type`` in it is a component."""
        if isinstance(value, dict) and 'type' in value:
            self._component(value, place)
        elif isinstance(value, (dict, list, tuple)):
            for key, item in value.items() if isinstance(value, dict) else enumerate(value):
                self.known.append((*place, key))
                self._typed(item, (*place, key))

    def _misfit(self, place: tuple, value: Any, what: str, known: Collection = ()) -> None:
        self.misfits.append(Misfit(to_the_end(place, value), len(place) - 1, what, tuple(known)))

    @staticmethod
    def _read_by_builders(place: tuple) -> tuple:
        key = 'default_hooks' if len(place) == 2 and place[0] == 'default_hooks' else next(
            (key for key in reversed(place) if key in REGISTRIES), None)
        return BUILDERS_READ.get(REGISTRIES.get(key), ())

    # --- parts of the Runner ---

    def _environment(self, value: Any, place: tuple) -> None:
        self._fields(value, place, ENV_KEYS, 'the Runner')
        if isinstance(value, dict):
            self._fields(value.get('mp_cfg'), (*place, 'mp_cfg'), _parameters(set_multi_processing) - {'distributed'},
                         'set_multi_processing')
            self._fields(value.get('dist_cfg'), (*place, 'dist_cfg'), _process_group_keys(), 'init_dist')

    def _randomness(self, value: Any, place: tuple) -> None:
        self._fields(value, place, _parameters(Runner.set_randomness) - {'self'}, 'Runner.set_randomness')

    def _loader(self, value: Any, place: tuple) -> None:
        self._fields(value, place, _parameters(DataLoader.__init__) - {'self'} | {*LOADER_KEYS}, 'DataLoader')
        for key in ('dataset', 'sampler', 'batch_sampler', 'collate_fn') if isinstance(value, dict) else ():
            self._typed(value.get(key), (*place, key))

    def _evaluator(self, value: Any, place: tuple) -> None:
        self._components(value, place, 'Evaluator' if isinstance(value, dict) and 'metrics' in value else None)

    def _hooks(self, value: Any, place: tuple) -> None:
        self._named(value, place, MMENGINE_HOOKS)

    def _optim_wrapper(self, value: Any, place: tuple) -> None:
        if not isinstance(value, dict):
            return
        if 'type' in value or 'optimizer' in value:
            self._wrapper(value, place)
            return
        self._wrappers = value
        for name, wrapper in value.items():
            if name in ('constructor', 'paramwise_cfg') or isinstance(wrapper, dict):
                self.known.append((*place, name))
            if isinstance(wrapper, dict) and name != 'paramwise_cfg' and _is_own_constructor(value):
                self._wrapper(wrapper, (*place, name))

    def _wrapper(self, value: dict, place: tuple) -> None:
        """Check one wrapper. A constructor of another package may read any key; then only the optimizer is checked."""
        if _is_own_constructor(value):
            self._component(value, place, 'OptimWrapper')
            self._fields(value.get('paramwise_cfg'), (*place, 'paramwise_cfg'), PARAMWISE_KEYS,
                         DefaultOptimWrapperConstructor.__name__)
            for pattern, factors in _items(_get(value, 'paramwise_cfg', 'custom_keys')):
                self.known += [(*place, 'paramwise_cfg', 'custom_keys', pattern, key) for key, _ in _items(factors)]
        elif 'optimizer' in value:
            self._typed(value['optimizer'], (*place, 'optimizer'))

    def _schedulers(self, value: Any, place: tuple) -> None:
        if not isinstance(value, dict) or 'type' in value:
            self._components(value, place)
            return
        for name, part in value.items():
            if part and self._wrappers is not None and name not in self._wrappers:
                self._misfit((*place, name), part, f'optim_wrapper has no {name!r} for this schedule',
                             tuple(self._wrappers))
            else:
                self.known.append((*place, name))
                self._components(part, (*place, name))


def to_the_end(place: tuple, value: Any) -> tuple:
    """Extend a place to the only value inside nested dicts of one key each, as an override of an unknown key makes
    them.
    """
    while isinstance(value, dict) and len(value) == 1 and 'type' not in value:
        (key, value), = value.items()
        place = (*place, key)
    return place


def _items(value: Any) -> Iterator[tuple]:
    yield from value.items() if isinstance(value, dict) else ()


def _get(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _parameters(function: Callable) -> set:
    return {name for name, one in inspect.signature(function).parameters.items() if one.kind is not one.VAR_KEYWORD}


def _process_group_keys() -> set:
    launched = _parameters(init_dist) - {'launcher'} | {'port'}  # of slurm
    return launched | _parameters(torch.distributed.init_process_group) | {'timeout'}


def _is_own_constructor(wrapper: dict) -> bool:
    name = wrapper.get('constructor', DefaultOptimWrapperConstructor.__name__)
    cls = component_at(CONSTRUCTOR, name)
    return cls is not None and cls.__module__.split('.')[0] in OWN
