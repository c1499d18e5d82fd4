"""Which registry answers for the ``type`` at a place of a config: the last key on the way to it says.

Read by the check of keys (config_keys) and by the doctor.
"""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from mmengine import registry as root
from mmengine.registry import Registry

import tempseg_mm.registry as project

REGISTRIES = dict(
    model='MODELS', data_preprocessor='MODELS', flow='TASK_UTILS', provider='TASK_UTILS',
    init_cfg='WEIGHT_INITIALIZERS', dataset='DATASETS', pipeline='TRANSFORMS', augment='TRANSFORMS',
    finetune='TRANSFORMS', sampler='DATA_SAMPLERS', batch_sampler='DATA_SAMPLERS', collate_fn='FUNCTIONS',
    default_hooks='HOOKS', custom_hooks='HOOKS', finetuner='TASK_UTILS', crf='TASK_UTILS', prediction='TASK_UTILS',
    baselines='TASK_UTILS', train_cfg='LOOPS', val_cfg='LOOPS', test_cfg='LOOPS', optim_wrapper='OPTIM_WRAPPERS',
    optimizer='OPTIMIZERS', param_scheduler='PARAM_SCHEDULERS', val_evaluator='METRICS', test_evaluator='METRICS',
    visualizer='VISUALIZERS', vis_backends='VISBACKENDS', model_wrapper_cfg='MODEL_WRAPPERS',
    log_processor='LOG_PROCESSORS')
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


def registry_of(place: tuple) -> Registry | None:
    """The registry that the component at a place will be looked up in; ``None`` if the place does not tell."""
    if place == CONSTRUCTOR:
        return project.OPTIM_WRAPPER_CONSTRUCTORS
    if len(place) == 2 and place[0] == 'default_hooks':  # hooks are named after what they are about
        return project.HOOKS
    key = next((key for key in reversed(place) if key in REGISTRIES), None)
    return None if key is None else registry_named(REGISTRIES[key])


def component_at(place: tuple, name: Any) -> Callable | None:
    """The class or function that a ``type`` stands for; ``None`` if the registry of its place does not know it.

    Args:
        place: keys that lead to the dict with the ``type``.
        name: the ``type``: a name, or a class as in a config that imports its components.
    """
    registry = registry_of(place)
    if not isinstance(name, str) or registry is None:
        return name if inspect.isclass(name) or inspect.isroutine(name) else None
    try:
        return registry.get(name)
    except Exception:  # whatever a name such as 'gone.Thing' imports; the registry will say so itself
        return None


def registry_named(name: str) -> Registry:
    """The project's registry of this name, else mmengine's."""
    return getattr(project, name) if hasattr(project, name) else getattr(root, name)


def all_registries() -> list[Registry]:
    """Every registry that some place of a config asks."""
    return [registry_named(name) for name in dict.fromkeys([*REGISTRIES.values(), 'OPTIM_WRAPPER_CONSTRUCTORS'])]
