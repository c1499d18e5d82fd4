"""Converts text from the command line into the kind of value that a setting has. ``--cfg-options`` uses it.

================  ===============================================================================================
kind of setting   how its text is read
================  ===============================================================================================
text              as typed: spaces, commas and digits stay; in brackets it is a list if the setting takes lists
number            as a number; ``1e4`` becomes an integer if the setting is an integer
yes or no         ``True``, ``False``, ``1`` or ``0``, in upper or lower case
list              items separated by commas, with or without brackets, each of the same kind as the present items
dict              ``None``, or a literal ``{...}``
``None``, or new  as a Python literal, else as text; words separated by commas are a list
================  ===============================================================================================

``None`` always means ``None``. Quotes around the whole text, or around an item of a list, keep it as text.
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
    """Text that was typed after ``KEY=`` and is not interpreted yet."""


class ConfigOverrides(argparse.Action):
    """Argparse action for ``KEY=VALUE ...``: stores a dict of the keys and the values as typed."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace,
                 values: str | Sequence[Any] | None, option_string: str | None = None) -> None:
        """Store the overrides; argparse calls this.

        Raises:
            argparse.ArgumentError: if an override is not KEY=VALUE.
        """
        options = dict(getattr(namespace, self.dest, None) or {})
        for text in values or ():
            key, sign, value = text.partition('=')
            if not sign or not all(key.split('.')):
                raise argparse.ArgumentError(self, f'{text!r} is not KEY=VALUE, such as model.width=0.25; put quotes '
                                                   'around KEY=VALUE if it contains spaces')
            options[key] = TypedText(value)
        setattr(namespace, self.dest, options)


def read_value(text: str, own: Any = None, note: Callable[[str], None] = lambda sentence: None) -> Any:
    """Return the value that a text stands for.

    Args:
        text: text as typed.
        own: present value of the setting; with ``None`` any kind of value is accepted.
        note: called with a sentence that says which of two possible readings was chosen.

    Raises:
        ValueError: if the text is not of the kind of ``own``, or its brackets do not match.
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
    """Return the text between quotes that enclose it as a whole; ``None`` if there are none."""
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
    return _literal(text, f'a number, like {own}')


def _read_list(text: str, own: list | tuple) -> Any:
    """Read a list. A single number without comma stays a number, since a size may be one number or two."""
    sample = own[0] if own and all(type(item) is type(own[0]) for item in own) else None
    if own and all(isinstance(item, int | float) and not isinstance(item, bool) for item in own):
        sample = next((item for item in own if isinstance(item, float)), own[0])
    if _is_bracketed(text):
        kind, text = (tuple if text.strip()[0] == '(' else list), text.strip()[1:-1]
    elif isinstance(sample, Mapping):
        raise ValueError('the setting is a list of dicts; expected None or a list in brackets')
    elif isinstance(sample, int | float) and not _has_commas(text):
        return _read_number(text, sample)
    else:
        kind = type(own) if type(own) in (list, tuple) else list
    items = split_items(text)
    return kind(read_value(item, None if isinstance(sample, Mapping | list | tuple) else sample) for item in items)


def _read_dict(text: str) -> Any:
    if not _is_bracketed(text):
        raise ValueError('expected None or a dict {...}, since this is a group of settings; set each by its own key')
    return _literal(text, 'None or a dict {...} of plain Python')


def _read_anything(text: str, note: Callable[[str], None]) -> Any:
    try:
        return _literal(text, '')
    except ValueError:
        if _is_bracketed(text):
            return _read_list(text, [])
    if text.strip()[:1] in ('[', '(') and not _is_balanced(text):
        raise ValueError("do its brackets match? Write a list as KEY=1,2 or 'KEY=[(1,2),(3,4)]'")
    if not _has_commas(text) or '/' in text or os.sep in text or os.path.exists(text):
        return str(text)
    items = split_items(text)
    value = [read_value(item) for item in items]
    if any(isinstance(item, str) and _quoted(typed) is None for item, typed in zip(value, items, strict=True)):
        note(f'{text!r} is read as the list {value}; write "\'{text}\'" if it is one text')
    return value


def _literal(text: str, expected: str) -> Any:
    """Read a number, ``True``, ``False``, ``None``, or a Python literal in brackets.

    Raises:
        ValueError: for any other text; the message says what was expected.
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
    raise ValueError(f'expected {expected}; write "\'{text}\'" if it is text')


def split_items(text: str) -> list[str]:
    """Split a text at the commas outside brackets and quotes and strip each item. A comma at the end adds no item.

    Raises:
        ValueError: if brackets or quotes do not match.
    """
    items, depth, quote, item = [], 0, '', ''
    for letter in text:
        if quote:
            quote = '' if letter == quote else quote
        elif letter in QUOTES and item.rstrip()[-1:] in ('', *',:', *OPENING):
            quote = letter  # elsewhere, inside a word, it is an apostrophe
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
        raise ValueError("do its brackets and quotes match? Write a list as KEY=1,2 or 'KEY=[(1,2),(3,4)]'")
    return [*items, item.strip()] if item.strip() else items


def _has_commas(text: str) -> bool:
    """Return whether commas separate items in the text, or one ends it."""
    return _is_balanced(text) and split_items(text) not in ([], [text.strip()])


def _is_balanced(text: str) -> bool:
    try:
        split_items(text)
    except ValueError:
        return False
    return True


def _is_bracketed(text: str) -> bool:
    """Return whether one pair of brackets encloses the whole text."""
    text = text.strip()
    return len(text) > 1 and text[0] + text[-1] in ('()', '[]', '{}') and _is_balanced(text[1:-1])
