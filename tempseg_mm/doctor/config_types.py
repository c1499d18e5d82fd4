"""Looks up every ``type`` of a config in the registry that will be used for it. ``config_health`` uses it."""

import difflib

from mmengine.registry import Registry

import tempseg_mm.registry as project
from tempseg_mm.settings.components import all_registries, registry_of


def unknown_type(place: tuple, name: str) -> str:
    """Say what is wrong with a component's name and name the nearest known ones; empty if nothing is wrong.

    Args:
        place: keys that lead to the component. If they do not tell the registry, any registry that knows the name
            counts.
        name: its ``type``.
    """
    registry = registry_of(place)
    asked = [registry] if registry is not None else all_registries()
    if any(_knows(one, name) for one in asked):
        return ''
    known = {known.lower(): known for one in asked for known in _names(one)}
    near = [known[low] for low in difflib.get_close_matches(name.split('.')[-1].lower(), known, n=3, cutoff=0.5)]
    kind = f'registered {registry.name}' if registry is not None else 'registered component'
    elsewhere = [one.name for one in all_registries() if registry is not None and _knows(one, name)]
    return (f'{name!r} is no {kind}' + (f', but a {elsewhere[0]}' if elsewhere else '')
            + (f'; did you mean {" or ".join(near)}?' if near else '; no known name is similar'))


def _knows(registry: Registry, name: str) -> bool:
    try:
        return registry.get(name) is not None
    except KeyError:
        return False


def _names(registry: Registry) -> list:
    registry.import_from_location()
    return registry.known_names() if isinstance(registry, project.SuggestingRegistry) else list(registry.module_dict)
