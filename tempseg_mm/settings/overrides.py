"""The overrides of ``--cfg-options``: read from the command line and put into a config, every fault in words.

Used by the parsers of the commands and by ``load_config``; relies on mmengine's rules for values.
"""

import argparse
from collections.abc import Sequence
from typing import Any

from mmengine.config import Config, DictAction


class SettingError(ValueError):
    """A config, or an override of one, that says what cannot be meant; the message is for the user."""


class ConfigOverrides(DictAction):
    """``KEY=VALUE ...`` as mmengine reads it; what it cannot read ends the command with a message, not a traceback."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace,
                 values: str | Sequence[Any] | None, option_string: str | None = None) -> None:
        """Called by argparse.

        Raises:
            argparse.ArgumentError: for an override that is no KEY=VALUE or whose brackets do not match.
        """
        for text in values or ():
            if not all(text.partition('=')[0].split('.')) or '=' not in text:
                raise argparse.ArgumentError(self, f'{text!r} is no KEY=VALUE, such as model.width=0.25')
        try:
            super().__call__(parser, namespace, values, option_string)
        except (AssertionError, RecursionError, ValueError) as error:
            raise argparse.ArgumentError(self, f'cannot read {" ".join(values)!r}: do its brackets match? A list is '
                                               "KEY=1,2 or 'KEY=[(1,2),(3,4)]'") from error


def merge_overrides(cfg: Config, options: dict) -> None:
    """Puts overrides into a config.

    Args:
        cfg: changed in place.
        options: ``{'model.width': 0.25}``. An item of a list is named by its place or, if no other item has it, by its
            type: ``pipeline.3.scale`` or ``pipeline.DeformReferenceMask.scale``.

    Raises:
        SettingError: if a key leads through something that is neither a dict nor a list of dicts.
    """
    try:
        cfg.merge_from_dict({_with_places(cfg, key): value for key, value in options.items()})
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise SettingError(f'the overrides {options} do not fit the config ({error}): a key may lead through dicts and '
                           'lists of dicts, and a list of values is replaced as a whole') from error


def _with_places(part: Any, key: str) -> str:
    """A dotted key, types in place of places in a list replaced by these."""
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
