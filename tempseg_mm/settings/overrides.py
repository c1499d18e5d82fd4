"""Puts the overrides of ``--cfg-options`` into a config and explains each fault in words.

The parsers of the commands and ``load_config`` use it. The command line is parsed before the config is known, so the
text stays as typed until it is merged: only the setting in the config tells how to read it.
"""

import inspect
import logging
import re
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner import Runner

from .components import accepted_keys, component_at
from .typed_text import TypedText, read_value

TEXT = {'str', 'Path', 'pathlib', 'PathLike', 'os'}  # words in the annotation of a parameter that takes text
LISTS = {'Sequence', 'list', 'tuple', 'List', 'Tuple', 'collections', 'abc', 'Iterable', 'Collection'}
NEUTRAL = {'None', 'NoneType', 'Optional', 'Union', 'typing', 'types', 'class'}


class SettingError(ValueError):
    """Raised if a config, or an override, holds a setting that cannot be right; the message is for the user."""


def merge_overrides(cfg: Config, options: dict) -> None:
    """Put overrides into a config.

    An item of a list is named by its index, or by its type if no other item has the same: ``pipeline.3.scale`` or
    ``pipeline.DeformReferenceMask.scale``. Typed text becomes a value of the kind that the setting has, see
    :mod:`~tempseg_mm.settings.typed_text`. If the config has no value there, the default or the annotation of the
    parameter decides. Text in brackets becomes a list if the parameter takes both text and lists. Other values stay as
    they are.

    Args:
        cfg: config, changed in place.
        options: overrides by dotted key, such as ``{'model.width': 0.25}``.

    Raises:
        SettingError: if a key leads through something that is neither a dict nor a list of dicts, or a text is of the
            wrong kind.
    """
    try:
        placed = {_with_places(cfg, key): value for key, value in options.items()}
        cfg.merge_from_dict({key: _value(cfg, key, value, placed) for key, value in placed.items()})
    except SettingError:
        raise
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise SettingError(f'the overrides {options} do not fit the config ({error}): a key may lead only through '
                           'dicts and lists of dicts; a list of values can only be replaced as a whole') from error


def _with_places(part: Any, key: str) -> str:
    """Return a dotted key in which types that name items of a list are replaced by their indices."""
    names = key.split('.')
    for i, name in enumerate(names):
        if isinstance(part, (list, tuple)):
            if not name.isdigit():
                types = [item.get('type') if isinstance(item, dict) else None for item in part]
                places = [place for place, kind in enumerate(types) if kind == name]
                if len(places) != 1:
                    raise ValueError(f'{".".join(names[:i])} has {len(places)} items of type {name!r}')
                names[i] = str(places[0])
            part = part[int(names[i])]
        else:
            part = part.get(name) if isinstance(part, (dict, Config)) else None
    return '.'.join(names)


def _value(cfg: Config, key: str, value: Any, options: dict) -> Any:
    """Return the value that an override stands for."""
    if not isinstance(value, TypedText):
        return value
    *place, name = key.split('.')
    parent = cfg
    for step in place:
        parent = parent[int(step)] if isinstance(parent, (list, tuple)) else parent.get(step) if isinstance(
            parent, (dict, Config)) else None
    own = parent.get(name) if isinstance(parent, (dict, Config)) else parent[int(name)] if isinstance(
        parent, (list, tuple)) else None
    in_brackets = value.startswith('[') and value.endswith(']')
    if own is None or isinstance(own, list | tuple) or isinstance(own, str) and in_brackets:
        kind = options.get('.'.join((*place, 'type'))) or (parent.get('type') if isinstance(parent, dict) else None)
        parameter = _parameter(tuple(place), kind and str(kind), name)
        if _takes_text_and_lists(parameter):
            own = [''] if in_brackets else ''
        elif own is None:
            own = _own_of_parameter(parameter)
    try:
        return read_value(value, own, lambda sentence: print_log(
            f'{key}: {sentence}', logger='current', level=logging.WARNING))
    except ValueError as error:
        raise SettingError(f'{key}={value} cannot be read: {error}') from error


def _parameter(place: tuple, kind: str | None, name: str) -> inspect.Parameter | None:
    """Return the parameter of a component, or of the Runner, with this name; ``None`` if it cannot be found."""
    if not place:
        return inspect.signature(Runner.__init__).parameters.get(name)
    builder = component_at(place, kind)
    owner = None if builder is None else (accepted_keys(builder) or {}).get(name)
    return owner and inspect.signature(owner).parameters.get(name)


def _kinds(parameter: inspect.Parameter) -> set[str]:
    return set(re.findall(r'\w+', str(parameter.annotation))) - NEUTRAL


def _takes_text_and_lists(parameter: inspect.Parameter | None) -> bool:
    """Return whether a parameter takes both text and a list of text, as the split of a data set does."""
    if parameter is None:
        return False
    kinds = _kinds(parameter)
    return kinds <= LISTS | TEXT and 'str' in re.split(r' *\| *', str(parameter.annotation)) and bool(kinds & LISTS)


def _own_of_parameter(parameter: inspect.Parameter | None) -> Any:
    """Return a value of the kind that a parameter takes; ``None`` if the kind is not known."""
    if parameter is None:
        return None
    if parameter.default not in (None, parameter.empty):
        return parameter.default if isinstance(parameter.default, bool | int | float | str) else None
    words = _kinds(parameter)
    return '' if words and words <= TEXT else [] if words & LISTS and words <= LISTS | {'str'} else None
