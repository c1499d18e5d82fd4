"""Checks that every setting has an effect: a key of a config, or of ``--cfg-options``, that nothing reads is an error.

``load_config`` and ``find_config`` call :func:`merge_and_check`. The doctor lists the faults that it returns.
"""

import difflib
import inspect
import os.path as osp
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

from .files import UnreadName, unread_names
from .nearest import nearest_setting, places_of
from .overrides import SettingError, merge_overrides
from .walk import ConfigWalk, Misfit, to_the_end

RUNNER_READS = ('model_wrapper_cfg', 'sync_bn', 'find_unused_parameters', 'activation_checkpointing',
                'efficient_conv_bn_eval', 'compile')  # read from the whole config, not passed as parameters
PROJECT_READS = ('checkpoint', 'crf', 'custom_imports', 'runner_type')
TOP_KEYS = frozenset({*inspect.signature(Runner.__init__).parameters, *RUNNER_READS, *PROJECT_READS} - {'self'})
ALIKE = 0.8  # least similarity to a setting at which a name that could be a variable counts as a typing mistake
SHOWN = 12
WAY_OUT = ('A part that replaces one of another type needs `_delete_=True`; without it, it inherits the settings of '
           'that part. A component of your own is found once `custom_imports` names its module. A variable that is '
           'kept for other config files must start with an underscore.')


@dataclass(frozen=True)
class KeyFault:
    """A setting that nothing reads.

    Attributes:
        path: keys that lead to the setting, joined by dots.
        what: what is wrong.
        suggestion: paths of the settings that were probably meant; '' if no setting is similar.
        known: the settings that exist at this place, shown if there is no suggestion.
    """
    path: str
    what: str
    suggestion: str = ''
    known: str = ''

    @property
    def remedy(self) -> str:
        """Advice on how to correct the setting; '' if there is none."""
        return f'did you mean {self.suggestion}?' if self.suggestion else self.known and f'known settings: {self.known}'

    def __str__(self) -> str:
        return f'{self.path}: {self.what}' + (f'; {self.remedy}' if self.remedy else '')


class UnknownSettingError(SettingError):
    """Raised for settings that nothing reads.

    Args:
        faults: every fault of the config.
        source: name of the config, for the message.
    """

    def __init__(self, faults: Sequence[KeyFault], source: str = '') -> None:
        self.faults = list(faults)
        count = 'an unknown setting' if len(self.faults) == 1 else f'{len(self.faults)} unknown settings'
        lines = [count + (f' in {source}:' if source else ':'), *map(str, self.faults)]
        super().__init__('\n  '.join(lines) + f'\n{WAY_OUT}')


def merge_and_check(cfg: Config, options: dict | None = None) -> list[KeyFault]:
    """Put overrides into a config, except those that would change nothing.

    Args:
        cfg: config, changed in place.
        options: overrides by dotted key, such as ``{'model.width': 0.25}``.

    Returns:
        All faults of the overrides and of the config, each once.

    Raises:
        SettingError: if an override does not fit the config.
    """
    options = options or {}
    void = {key: key.split('.') for key in options if not _is_read(cfg, key.split('.')[0])}
    before = {keys[0]: cfg[keys[0]] for keys in void.values() if keys[0] in cfg}
    merge_overrides(cfg, {key: value for key, value in options.items() if key not in void})
    content = cfg.to_dict()
    walk = ConfigWalk({key: value for key, value in content.items() if key in TOP_KEYS})
    known = [*walk.known, *((key,) for key in TOP_KEYS)]
    faults = [_override_fault(tuple(keys), before, content, known) for keys in void.values()]
    faults += [_top_fault(unread, content, known) for unread in _unread(cfg)]
    faults += [_fault(misfit, known) for misfit in walk.misfits]
    return list({fault.path: fault for fault in reversed(faults)}.values())[::-1]


def refuse(faults: Sequence[KeyFault], source: str = '') -> None:
    """Raise one error that lists all faults.

    Raises:
        UnknownSettingError: if ``faults`` is not empty.
    """
    if faults:
        raise UnknownSettingError(faults, source)


def _is_read(cfg: Config, key: str) -> bool:
    """Return whether the Runner, the project or a module named in ``custom_imports`` reads this top-level key."""
    return key in TOP_KEYS or key.startswith('_') or any(
        re.search(rf'\b{re.escape(key)}\b', text) for text in _imported_sources(cfg))


def _imported_sources(cfg: Config) -> Iterator[str]:
    imports = cfg.get('custom_imports') or {}
    imports = imports.get('imports') or [] if isinstance(imports, dict) else []
    names = [imports] if isinstance(imports, str) else imports
    for name, module in list(sys.modules.items()):
        path = getattr(module, '__file__', None) or ''
        if any(name == own or name.startswith(f'{own}.') for own in names) and path.endswith('.py'):
            with open(path, encoding='utf-8') as file:
                yield file.read()


def _unread(cfg: Config) -> Iterator[UnreadName]:
    """Yield each top-level name that is not a setting and that no config file reads, once.

    In a file with a ``_base_``, every such name is a fault. A file without one may hold names for some of its children,
    or may have been written by a program. There, only a name that resembles a setting counts as a typing mistake.
    """
    found = unread_names(cfg.filename) if cfg.filename else None
    if found is None:
        found = [UnreadName(str(name), '', inherits=False) for name in cfg]
    for name, unread in {unread.name: unread for unread in reversed(found)}.items():
        slip = unread.inherits or difflib.get_close_matches(name, TOP_KEYS, n=1, cutoff=ALIKE)
        if slip and name in cfg and not _is_read(cfg, name):
            yield unread


def _top_fault(unread: UnreadName, content: dict, known: list) -> KeyFault:
    name = unread.name
    place = to_the_end((name,), content[name])
    where = f' (in {osp.basename(unread.path)})' if unread.path else ''
    if not unread.base:
        return _fault(Misfit(place, 0, f'this is not a setting, and no config file reads this name{where}'), known)
    try:
        value = Config.fromfile(unread.base).get(name)
    except Exception:  # a file that can only be loaded as a base
        value = None
    meant = _went(name, value, content)
    what = f'{osp.basename(unread.base)} has already used its own {name}, so nothing reads this one{where}'
    return _fault(Misfit(place, 0, what), known) if not meant else KeyFault(_path(place), what, _listed(meant))


def _override_fault(keys: tuple, before: dict, content: dict, known: list) -> KeyFault:
    if keys[0] not in before:
        return _fault(Misfit(keys, 0, f'there is no setting {keys[0]!r}'), known)
    meant = [(*place, *keys[1:]) for place in _went(keys[0], before[keys[0]], content)]
    what = f'{keys[0]!r} is a variable of the config files, which have already used it: setting it now changes nothing'
    return KeyFault(_path(keys), what, _listed(meant))


def _went(name: str, value: Any, content: dict) -> list[tuple]:
    """Return the settings that hold a variable's value; if none does, the settings of the same name."""
    settings = list(_settings(content))
    return places_of(name, _plain(value), settings) or places_of(name, None, settings)


def _fault(misfit: Misfit, known: list) -> KeyFault:
    beside = [(*misfit.place[:misfit.wrong], key) for key in misfit.known]
    meant = nearest_setting(misfit.place, misfit.wrong, [*known, *beside])
    keys = sorted(str(key) for key in misfit.known)
    shown = ', '.join(keys[:SHOWN]) + (', ...' if len(keys) > SHOWN else '')
    return KeyFault(_path(misfit.place), misfit.what, _path(meant), shown)


def _settings(content: Any, place: tuple = ()) -> Iterator[tuple[tuple, Any]]:
    """Yield place and value of everything below the top-level keys that are settings."""
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(
        content, (list, tuple)) else ()
    for key, value in items:
        if place or key in TOP_KEYS:
            yield (*place, key), value
            yield from _settings(value, (*place, key))


def _plain(value: Any) -> Any:
    return Config(dict(value=value)).to_dict()['value'] if isinstance(value, (dict, list, tuple)) else value


def _path(place: tuple) -> str:
    return '.'.join(map(str, place))


def _listed(places: list) -> str:
    return ', '.join(_path(place) for place in places[:4])
