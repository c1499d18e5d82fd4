"""The keys that a component takes from a config: the parameters of its constructor, also those it passes on.

A constructor with ``**kwargs`` hands them to its base class, reads some, or does something else with them; its source
tells. Where that cannot be told, any key is accepted: no guesses.
"""

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from mmengine.hooks import CheckpointHook

READERS = ('get', 'pop', 'setdefault')
NO_MORE = (CheckpointHook,)  # its **kwargs go to save_checkpoint, which already has all that it takes


@functools.cache
def accepted_keys(builder: Callable) -> Mapping[str, Any] | None:
    """Name of each parameter and the class, or function, that declares it; ``None`` if any key may be meant.

    Args:
        builder: a class or a function.
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
    """Names that may be given as keywords, ``self`` among them, and the name of ``**kwargs`` (``'?'``: unknown)."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return [], '?'
    named = [one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    return named, next((one.name for one in parameters if one.kind is one.VAR_KEYWORD), '')


def _read_and_passed_on(init: Callable, rest: str) -> list | None:
    """Keys that a constructor reads from its ``**kwargs`` by name, if it passes them on to its base class.

    Returns:
        ``None`` if it does anything else with them.
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
