"""Every ``type`` of a config looked up where it will be looked up when the config is used. Called by config_health.

Which registry answers follows from the place: the last key on the way to it that says.
"""

import difflib
from collections.abc import Iterator
from typing import Any

from mmengine import registry as root
from mmengine.registry import Registry

import tempseg_mm.registry as project

REGISTRIES = dict(
    model='MODELS', flow='TASK_UTILS', init_cfg='WEIGHT_INITIALIZERS', dataset='DATASETS', pipeline='TRANSFORMS',
    augment='TRANSFORMS', sampler='DATA_SAMPLERS', batch_sampler='DATA_SAMPLERS', collate_fn='FUNCTIONS',
    default_hooks='HOOKS', custom_hooks='HOOKS', finetuner='TASK_UTILS', crf='TASK_UTILS', train_cfg='LOOPS',
    val_cfg='LOOPS', test_cfg='LOOPS', optim_wrapper='OPTIM_WRAPPERS', optimizer='OPTIMIZERS',
    param_scheduler='PARAM_SCHEDULERS', val_evaluator='METRICS', test_evaluator='METRICS', visualizer='VISUALIZERS',
    vis_backends='VISBACKENDS', model_wrapper_cfg='MODEL_WRAPPERS', log_processor='LOG_PROCESSORS')
CONSTRUCTOR = ('optim_wrapper', 'constructor')  # named without a ``type``


def find_types(cfg: Any, place: tuple = ()) -> Iterator[tuple[tuple, str]]:
    """``(place, name)`` of every component that a config names; a place is the keys that lead to it.

    Args:
        cfg: dicts, lists and values.
        place: keys that led here.
    """
    if isinstance(cfg, dict):
        if isinstance(cfg.get('type'), str):
            yield place, cfg['type']
        if place == CONSTRUCTOR[:1] and isinstance(cfg.get(CONSTRUCTOR[1]), str):
            yield CONSTRUCTOR, cfg[CONSTRUCTOR[1]]
    items = cfg.items() if isinstance(cfg, dict) else enumerate(cfg) if isinstance(cfg, (list, tuple)) else ()
    for key, value in items:
        yield from find_types(value, (*place, key))


def unknown_type(place: tuple, name: str) -> str:
    """What is wrong with a component's name, with the nearest known ones; empty if nothing is.

    Args:
        place: keys that lead to it. Where they do not say which registry will be asked, any that knows it will do.
        name: its ``type``.
    """
    registry = registry_of(place)
    asked = [registry] if registry is not None else _all_registries()
    if any(_knows(one, name) for one in asked):
        return ''
    known = {known.lower(): known for one in asked for known in _names(one)}
    near = [known[low] for low in difflib.get_close_matches(name.split('.')[-1].lower(), known, n=3, cutoff=0.5)]
    kind = f'registered {registry.name}' if registry is not None else 'registered component'
    elsewhere = [one.name for one in _all_registries() if registry is not None and _knows(one, name)]
    return (f'{name!r} is no {kind}' + (f', but a {elsewhere[0]}' if elsewhere else '')
            + (f'; did you mean {" or ".join(near)}?' if near else '; no known name is like it'))


def registry_of(place: tuple) -> Registry | None:
    """The registry that the component at a place will be looked up in; ``None`` if the place does not tell."""
    if place == CONSTRUCTOR:
        return project.OPTIM_WRAPPER_CONSTRUCTORS
    if len(place) == 2 and place[0] == 'default_hooks':  # hooks are named after what they are about
        return project.HOOKS
    key = next((key for key in reversed(place) if key in REGISTRIES), None)
    return None if key is None else _registry(REGISTRIES[key])


def _registry(name: str) -> Registry:
    return getattr(project, name) if hasattr(project, name) else getattr(root, name)


def _knows(registry: Registry, name: str) -> bool:
    try:
        return registry.get(name) is not None
    except KeyError:
        return False


def _names(registry: Registry) -> list:
    registry.import_from_location()
    return registry.known_names() if isinstance(registry, project.SuggestingRegistry) else list(registry.module_dict)


def _all_registries() -> list[Registry]:
    names = dict.fromkeys([*REGISTRIES.values(), 'OPTIM_WRAPPER_CONSTRUCTORS'])
    return [_registry(name) for name in names]
