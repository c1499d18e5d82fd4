"""For a setting that nothing reads, the one that was meant."""

import difflib
import functools
from collections.abc import Collection, Iterable
from typing import Any

ALIKE = 0.65  # least similarity of two keys, in [0, 1]
TAIL_ALIKE = 0.75  # where only the ends of two places are compared
TELLING = 10  # smaller numbers are equal by chance


def nearest_setting(place: tuple, wrong: int, known: Collection[tuple]) -> tuple:
    """The known place most like a wrong one, key by key; empty if none is.

    Compared are the whole place, then without what follows the wrong key, then from the wrong key on: for the last
    two keys ``finetuner.stpes`` any place that ends like them will do.

    Args:
        place: keys that lead to the setting.
        wrong: index of the wrong key.
        known: places of settings that there are.
    """
    known = [other for other in known if place[:len(other)] != other]  # not itself, nor what it is in
    for keys, alike in ((place, ALIKE), (place[:wrong + 1], ALIKE), (place[wrong:], TAIL_ALIKE),
                        (place[wrong:wrong + 1], TAIL_ALIKE)):
        rated = [(_likeness(keys, other, alike), len(other) == len(keys), -len(other), other) for other in known]
        best = max(rated, key=lambda one: one[:3], default=None)
        if best is not None and best[0] > 0:
            return best[3]
    return ()


def places_of(name: str, value: Any, settings: Iterable[tuple[tuple, Any]]) -> list[tuple]:
    """Where a variable of a config file went: settings of like name and, if they tell, of equal value.

    Args:
        name: of the variable.
        value: what it was; ``None``: not known, so that the name alone counts.
        settings: place and value of every setting of the config.
    """
    settings = list(settings)
    by_name = [(place, other) for place, other in settings if _ratio(name, str(place[-1])) >= ALIKE]
    if value is None:
        return [place for place, _ in by_name if place[-1] == name]
    same = [place for place, other in by_name if _equal(value, other)]
    if not isinstance(value, (bool, int, float)) and value or isinstance(value, int) and value >= TELLING:
        same += [place for place, other in settings if _equal(value, other) and place not in same]
    return [place for place in same if not any(place[:len(other)] == other for other in same if other != place)]


def _likeness(keys: tuple, other: tuple, alike: float) -> float:
    """Mean similarity of ``keys`` and the end of ``other``; 0 if one pair of keys is not alike."""
    if len(keys) > len(other):
        return 0.0
    ratios = []
    for key, theirs in zip(reversed(keys), reversed(other), strict=False):
        ratios.append(_ratio(str(key), str(theirs)))
        if ratios[-1] < alike:
            return 0.0
    return sum(ratios) / len(ratios)


@functools.lru_cache(10_000)
def _ratio(a: str, b: str) -> float:
    return 1.0 if a == b else difflib.SequenceMatcher(None, a, b).ratio()


def _equal(a: Any, b: Any) -> bool:
    """Whether ``b`` is ``a``, or a dict that ``a`` went into."""
    if isinstance(a, dict) and isinstance(b, dict):
        return bool(a) and all(key in b and _equal(value, b[key]) for key, value in a.items())
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return list(a) == list(b)
    return type(a) is type(b) and a == b
