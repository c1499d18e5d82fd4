"""Differences between two trees of settings. Used to check whether a sequence or a training can be resumed."""

import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


class ResumeError(ValueError):
    """Raised when a run cannot be resumed from what an earlier run left. The message is written for the user."""


@dataclass(frozen=True)
class Difference:
    """A setting whose value has changed.

    Attributes:
        path: keys of the setting, joined by dots.
        then: earlier value; ``None`` if the setting did not exist.
        now: present value; ``None`` if the setting no longer exists.
    """
    path: str
    then: Any
    now: Any

    def __str__(self) -> str:
        """Return e.g. ``steps (3 then, 4 now)``; deeply nested parts of a value are abbreviated."""
        brief = reprlib.Repr()
        brief.maxlevel, brief.maxstring = 2, 200
        return f'{self.path} ({brief.repr(self.then)} then, {brief.repr(self.now)} now)'


def differences(then: Any, now: Any, path: str = '') -> Iterator[Difference]:
    """Yield every setting that differs.

    Dicts are compared by key, lists of equal length that hold dicts by item, all else as a whole.

    Args:
        then: earlier dicts, lists and values.
        now: present ones. A tuple equals a list with the same items.
        path: dotted path of both values in their trees.
    """
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in {**then, **now}:
            yield from differences(then.get(key), now.get(key), f'{path}.{key}' if path else str(key))
    elif isinstance(then, list | tuple) and isinstance(now, list | tuple):
        if len(then) == len(now) and any(isinstance(item, Mapping) for item in (*then, *now)):
            for i, (one, other) in enumerate(zip(then, now, strict=True)):
                yield from differences(one, other, f'{path}.{i}')
        elif list(then) != list(now):
            yield Difference(path, then, now)
    elif then != now:
        yield Difference(path, then, now)
