"""Where two trees of settings differ. Used where a run is resumed: of a sequence, and of a training."""

import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


class ResumeError(ValueError):
    """A run that cannot go on from what an earlier one left; the message is for the user."""


@dataclass(frozen=True)
class Difference:
    """A setting that is another one now.

    Attributes:
        path: its keys, joined by dots.
        then: its value before; ``None`` where it was not there.
        now: its value now; likewise.
    """
    path: str
    then: Any
    now: Any

    def __str__(self) -> str:
        """``steps (3 then, 4 now)``; what is deep inside a value is left out."""
        brief = reprlib.Repr()
        brief.maxlevel, brief.maxstring = 2, 200
        return f'{self.path} ({brief.repr(self.then)} then, {brief.repr(self.now)} now)'


def differences(then: Any, now: Any, path: str = '') -> Iterator[Difference]:
    """Every setting that differs: of dicts each key, of lists of one length each item, else the value as a whole.

    Args:
        then: dicts, lists and values.
        now: likewise; a tuple is as good as a list.
        path: of both.
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
