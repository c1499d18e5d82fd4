"""Finds the registry for the ``type`` at a place of a config, and the keys that a component accepts.

The check of keys and the doctor use it. A constructor with ``**kwargs`` may pass them to its base class, read some of
them, or use them otherwise; its source code shows which. If the source does not show it, any key is accepted.
"""

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mmengine import registry as root
from mmengine.hooks import CheckpointHook
from mmengine.registry import Registry

import tempseg_mm.registry as project

REGISTRIES = dict(
    model='MODELS', data_preprocessor='MODELS', flow='TASK_UTILS', provider='TASK_UTILS',
    init_cfg='WEIGHT_INITIALIZERS', dataset='DATASETS', pipeline='TRANSFORMS', augment='TRANSFORMS',
    finetune='TRANSFORMS', sampler='DATA_SAMPLERS', batch_sampler='DATA_SAMPLERS', collate_fn='FUNCTIONS',
    default_hooks='HOOKS', custom_hooks='HOOKS', finetuner='TASK_UTILS', adaptation='TASK_UTILS', crf='TASK_UTILS',
    prediction='TASK_UTILS', window='TASK_UTILS', baselines='TASK_UTILS', train_cfg='LOOPS', val_cfg='LOOPS',
    test_cfg='LOOPS', optim_wrapper='OPTIM_WRAPPERS', optimizer='OPTIMIZERS',
    param_scheduler='PARAM_SCHEDULERS', val_evaluator='METRICS', test_evaluator='METRICS',
    visualizer='VISUALIZERS', vis_backends='VISBACKENDS', model_wrapper_cfg='MODEL_WRAPPERS',
    log_processor='LOG_PROCESSORS')
CONSTRUCTOR = ('optim_wrapper', 'constructor')  # names a component without the key ``type``


def find_types(cfg: Any, place: tuple = ()) -> Iterator[tuple[tuple, str]]:
    """Yield ``(place, name)`` of every component that a config names. A place is the tuple of keys that lead to it.

    Args:
        cfg: dicts, lists and values.
        place: keys that lead to ``cfg``.
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
    """Return the registry in which the component at a place is looked up; ``None`` if the place does not tell."""
    if place == CONSTRUCTOR:
        return project.OPTIM_WRAPPER_CONSTRUCTORS
    if len(place) == 2 and place[0] == 'default_hooks':  # the last key is a free name, not a kind of component
        return project.HOOKS
    key = next((key for key in reversed(place) if key in REGISTRIES), None)
    return None if key is None else registry_named(REGISTRIES[key])


def component_at(place: tuple, name: Any) -> Callable | None:
    """Return the class or function that a ``type`` stands for; ``None`` if the registry of its place does not know it.

    Args:
        place: keys that lead to the dict with the ``type``.
        name: value of ``type``: a name, or a class if the config imports its components.
    """
    registry = registry_of(place)
    if not isinstance(name, str) or registry is None:
        return name if inspect.isclass(name) or inspect.isroutine(name) else None
    try:
        return registry.get(name)
    except Exception:  # importing a name such as 'gone.Thing' may raise anything; the registry reports it later
        return None


def registry_named(name: str) -> Registry:
    """Return the project's registry of this name, else mmengine's."""
    return getattr(project, name) if hasattr(project, name) else getattr(root, name)


def all_registries() -> list[Registry]:
    """Return every registry in which a component of a config may be looked up."""
    return [registry_named(name) for name in dict.fromkeys([*REGISTRIES.values(), 'OPTIM_WRAPPER_CONSTRUCTORS'])]


READERS = ('get', 'pop', 'setdefault')
NO_MORE = (CheckpointHook,)  # passes its **kwargs to save_checkpoint, which accepts no further keys


@functools.cache
def accepted_keys(builder: Callable) -> Mapping[str, Any] | None:
    """Map each key that a class or function accepts to the one that declares it; return ``None`` if any key may be
    accepted.
    """
    if not inspect.isclass(builder):
        keys, rest = _parameters(builder)
        return None if rest else dict.fromkeys(keys, builder)
    accepted: dict = {}
    for owner in builder.__mro__:
        if owner is object:
            return accepted if not accepted and '__new__' not in _defined(builder) else None
        init = vars(owner).get('__init__')
        if init is None:
            continue
        keys, rest = _parameters(init)
        for key in keys[1:]:
            accepted.setdefault(key, owner)
        if not rest or owner in NO_MORE:
            return accepted
        read = _read_and_passed_on(init, rest)
        if read is None:
            return None
        for key in read:
            accepted.setdefault(key, owner)
    return None


def _defined(cls: type) -> set:
    return {name for owner in cls.__mro__[:-1] for name in vars(owner)}


def _parameters(function: Callable) -> tuple[list, str]:
    """Return the names usable as keywords, with ``self``, and the name of ``**kwargs`` ('' if none, ``'?'`` if
    unknown).
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return [], '?'
    named = [one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    return named, next((one.name for one in parameters if one.kind is one.VAR_KEYWORD), '')


def _read_and_passed_on(init: Callable, rest: str) -> list | None:
    """Return the keys that a constructor reads by name from its ``**kwargs``, if it passes these on to its base class.

    Returns:
        ``None`` if it uses them in any other way.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(init))))
    except (OSError, SyntaxError, TypeError):
        return None
    explained, read, passed_on = 0, [], False
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_base_constructor(node.func):
            forwarded = [word for word in node.keywords if word.arg is None and _is(word.value, rest)]
            explained += len(forwarded)
            passed_on |= bool(forwarded)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is(node.func.value, rest):
            if node.func.attr in READERS and node.args and isinstance(node.args[0], ast.Constant):
                read.append(node.args[0].value)
                explained += 1
        elif isinstance(node, ast.Subscript) and _is(node.value, rest) and isinstance(node.slice, ast.Constant):
            read.append(node.slice.value)
            explained += 1
    mentioned = sum(_is(node, rest) for node in ast.walk(tree))
    return read if passed_on and explained == mentioned else None


def _is(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_base_constructor(function: ast.AST) -> bool:
    return (isinstance(function, ast.Attribute) and function.attr == '__init__'
            and isinstance(function.value, ast.Call) and _is(function.value.func, 'super'))
