"""Text as it was typed, made into the kind of value that a setting has. Used for the overrides of ``--cfg-options``.

================  =====================================================================================
the setting is    its text
================  =====================================================================================
text              as typed: spaces, commas and digits stay (in brackets a list, where it may be one)
a number          a number; ``1e4`` for a whole one is one
yes or no         ``True``, ``False``, ``1`` or ``0``, in any case
a list            items between commas, in brackets or not, each of the kind that the items have
a dict            ``None``, or a literal ``{...}``
``None``, or new  what it says in Python, else text; words between commas are a list
================  =====================================================================================

``None`` is ``None`` anywhere. Quotes around the whole, or around an item of a list, make it text as it stands.
"""

import argparse
import ast
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

NUMBER = re.compile(r'[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf|nan)')
INTEGER = re.compile(r'[+-]?(0|[1-9]\d*)')
WORDS = dict(none=None, true=True, false=False)
OPENING, CLOSING, QUOTES = '([{', ')]}', '\'"'


class TypedText(str):
    """What was typed after ``KEY=``; nobody has looked yet what it means."""


class ConfigOverrides(argparse.Action):
    """``KEY=VALUE ...``: a dict of the keys and of the values as they were typed."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace,
                 values: str | Sequence[Any] | None, option_string: str | None = None) -> None:
        """Called by argparse.

        Raises:
            argparse.ArgumentError: for an override that is no KEY=VALUE.
        """
        options = dict(getattr(namespace, self.dest, None) or {})
        for text in values or ():
            key, sign, value = text.partition('=')
            if not sign or not all(key.split('.')):
                raise argparse.ArgumentError(self, f'{text!r} is no KEY=VALUE, such as model.width=0.25; quotes around '
                                                   'the whole keep a value with spaces together')
            options[key] = TypedText(value)
        setattr(namespace, self.dest, options)


def read_value(text: str, own: Any = None, note: Callable[[str], None] = lambda sentence: None) -> Any:
    """The value that a text stands for.

    Args:
        text: as typed.
        own: the value that the setting has; ``None``: it may be anything.
        note: told, in words, which of two readings was taken.

    Raises:
        ValueError: if it is none of the kind of ``own``, or its brackets do not match.
    """
    if (quoted := _quoted(text)) is not None:
        return quoted
    if text == 'None':
        return None
    if isinstance(own, str):
        return str(text)
    if isinstance(own, bool):
        return _read_bool(text)
    if isinstance(own, int | float):
        return _read_number(text, own)
    if isinstance(own, list | tuple):
        return _read_list(text, own)
    if isinstance(own, Mapping):
        return _read_dict(text)
    return _read_anything(text, note)


def _quoted(text: str) -> str | None:
    """What stands between the quotes around a whole text, as it is."""
    whole = len(text) > 1 and text[0] == text[-1] and text[0] in QUOTES and text[0] not in text[1:-1]
    return text[1:-1] if whole else None


def _read_bool(text: str) -> Any:
    if text.strip().lower() in ('true', 'false', '0', '1'):
        return text.strip().lower() in ('true', '1')
    return _literal(text, 'True or False')


def _read_number(text: str, own: float) -> Any:
    if NUMBER.fullmatch(text.strip()):
        value = float(text)
        return int(value) if isinstance(own, int) and value.is_integer() else value
    if _is_bracketed(text) or _has_commas(text):
        return _read_list(text, [own])
    return _literal(text, f'a number, as {own} is')


def _read_list(text: str, own: list | tuple) -> Any:
    """A list of what is typed; one number alone stays one, since a size may be a number or two."""
    sample = own[0] if own and all(type(item) is type(own[0]) for item in own) else None
    if own and all(isinstance(item, int | float) and not isinstance(item, bool) for item in own):
        sample = next((item for item in own if isinstance(item, float)), own[0])
    if _is_bracketed(text):
        kind, text = (tuple if text.strip()[0] == '(' else list), text.strip()[1:-1]
    elif isinstance(sample, Mapping):
        raise ValueError('it is a list of dicts, which None and a list in brackets replace')
    elif isinstance(sample, int | float) and not _has_commas(text):
        return _read_number(text, sample)
    else:
        kind = type(own) if type(own) in (list, tuple) else list
    items = split_items(text)
    return kind(read_value(item, None if isinstance(sample, Mapping | list | tuple) else sample) for item in items)


def _read_dict(text: str) -> Any:
    if not _is_bracketed(text):
        raise ValueError('expected None or a dict {...}, since it is a group of settings; each is set by its own name')
    return _literal(text, 'None or a dict {...} of plain Python')


def _read_anything(text: str, note: Callable[[str], None]) -> Any:
    try:
        return _literal(text, '')
    except ValueError:
        if _is_bracketed(text):
            return _read_list(text, [])
    if text.strip()[:1] in ('[', '(') and not _is_balanced(text):
        raise ValueError("do its brackets match? A list is KEY=1,2 or 'KEY=[(1,2),(3,4)]'")
    if not _has_commas(text) or '/' in text or os.sep in text or os.path.exists(text):
        return str(text)
    items = split_items(text)
    value = [read_value(item) for item in items]
    if any(isinstance(item, str) and _quoted(typed) is None for item, typed in zip(value, items, strict=True)):
        note(f'{text!r} is read as the list {value}; in quotes, "\'{text}\'", it is one text')
    return value


def _literal(text: str, expected: str) -> Any:
    """A number, a word of Python, or what stands in brackets and is plain Python.

    Raises:
        ValueError: for anything else; says what was expected.
    """
    word = text.strip()
    if word.lower() in WORDS and (word.lower() != 'none' or word == 'None'):
        return WORDS[word.lower()]
    if INTEGER.fullmatch(word):
        return int(word)
    if NUMBER.fullmatch(word) and re.search('[.eE]', word):
        return float(word)
    if word[:1] in (*OPENING,) and _is_bracketed(word):
        try:
            value = ast.literal_eval(word)
        except (MemoryError, RecursionError, SyntaxError, TypeError, ValueError):
            value = None
        if isinstance(value, list | tuple | dict):
            return value
    raise ValueError(f'expected {expected}; in quotes, "\'{text}\'", it is text')


def split_items(text: str) -> list[str]:
    """What stands between the commas that are in no brackets and no quotes, stripped; a last comma adds nothing.

    Raises:
        ValueError: if brackets do not match.
    """
    items, depth, quote, item = [], 0, '', ''
    for letter in text:
        if quote:
            quote = '' if letter == quote else quote
        elif letter in QUOTES and item.rstrip()[-1:] in ('', *',:', *OPENING):
            quote = letter  # in the middle of a word it is an apostrophe
        elif letter in OPENING + CLOSING:
            depth += 1 if letter in OPENING else -1
        if letter == ',' and depth == 0 and not quote:
            items.append(item.strip())
            item = ''
        else:
            item += letter
        if depth < 0:
            break
    if depth or quote:
        raise ValueError("do its brackets and quotes match? A list is KEY=1,2 or 'KEY=[(1,2),(3,4)]'")
    return [*items, item.strip()] if item.strip() else items


def _has_commas(text: str) -> bool:
    """Whether commas divide a text, or one ends it."""
    return _is_balanced(text) and split_items(text) not in ([], [text.strip()])


def _is_balanced(text: str) -> bool:
    try:
        split_items(text)
    except ValueError:
        return False
    return True


def _is_bracketed(text: str) -> bool:
    """Whether one pair of brackets is around the whole."""
    text = text.strip()
    return len(text) > 1 and text[0] + text[-1] in ('()', '[]', '{}') and _is_balanced(text[1:-1])
