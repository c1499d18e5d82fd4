"""Finds the setting that was probably meant by a setting that nothing reads."""

import difflib
import functools
from collections.abc import Collection, Iterable
from typing import Any

ALIKE = 0.65  # least similarity of two keys, in [0, 1]
TAIL_ALIKE = 0.75  # the same, if only the ends of two places are compared
TELLING = 10  # smaller integers are often equal by chance, so they identify no setting


def nearest_setting(place: tuple, wrong: int, known: Collection[tuple]) -> tuple:
    """Return the known place that is most similar to a wrong one, compared key by key; empty if none is similar.

    The whole place is compared first, then the place up to the wrong key, then the part from the wrong key on, then the
    wrong key alone. For the last two, only the end of a known place must be similar, as with ``finetuner.stpes``.

    Args:
        place: keys that lead to the wrong setting.
        wrong: index in ``place`` of the wrong key.
        known: places of the settings that exist.
    """
    known = [other for other in known if place[:len(other)] != other]  # neither the place itself nor its parents
    for keys, alike in ((place, ALIKE), (place[:wrong + 1], ALIKE), (place[wrong:], TAIL_ALIKE),
                        (place[wrong:wrong + 1], TAIL_ALIKE)):
        rated = [(_likeness(keys, other, alike), len(other) == len(keys), -len(other), other) for other in known]
        best = max(rated, key=lambda one: one[:3], default=None)
        if best is not None and best[0] > 0:
            return best[3]
    return ()


def places_of(name: str, value: Any, settings: Iterable[tuple[tuple, Any]]) -> list[tuple]:
    """Return where the value of a config variable was used: settings of similar name and equal value, or of equal value
    alone.

    Args:
        name: name of the variable.
        value: its value; ``None`` if not known, so that settings of exactly this name count. Booleans, floats and
            integers below ``TELLING`` do not identify a setting without its name.
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
    """Return the mean similarity of ``keys`` and the end of ``other``; 0 if any pair of keys is too different."""
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
    """Return whether ``b`` equals ``a``, or is a dict that contains all of the dict ``a``."""
    if isinstance(a, dict) and isinstance(b, dict):
        return bool(a) and all(key in b and _equal(value, b[key]) for key, value in a.items())
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return list(a) == list(b)
    return type(a) is type(b) and a == b
