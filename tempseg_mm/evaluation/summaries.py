"""Summarises the values of frames by object and by sequence."""

import math
from collections.abc import Mapping, Sequence

from .functional.statistics import SequenceStatistics, sequence_statistics

STATISTICS = SequenceStatistics._fields


def units_of(summary: Mapping) -> Mapping[str, Mapping]:
    """Return the objects of a measure over one sequence; for a single object ``{'': summary}``."""
    return summary.get('objects', {'': summary})


def sequence_summary(objects: Mapping[int, Mapping[str, Mapping[int, float]]]) -> dict[str, dict]:
    """Return the entry of a sequence: that of its only object, or means over its objects together with their entries.

    The mean of a frame is over the objects that have appeared by then.

    Args:
        objects: object -> measure -> ``{frame: value}``, frames in order; at least one object.
    """
    return {measure: _averaged(measure, {label: values[measure] for label, values in objects.items()})
            for measure in next(iter(objects.values()))}


def _averaged(measure: str, objects: Mapping[int, Mapping[int, float]]) -> dict:
    summaries = {str(label): measure_summary(measure, values) for label, values in objects.items()}
    first, *others = summaries.values()
    if not others:
        return first
    statistics = {s: _known_mean([summary[s] for summary in (first, *others)]) for s in first if s in STATISTICS}
    frames = sorted({frame for values in objects.values() for frame in values})
    per_frame = [_known_mean([values[frame] for values in objects.values() if frame in values]) for frame in frames]
    return dict(statistics, frames=frames, per_frame=per_frame, objects=summaries)


def _known_mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def measure_summary(measure: str, values: Mapping[int, float]) -> dict:
    """Return the entry of one measure and one object in the table: the statistics, ``frames`` and ``per_frame``.

    ``values`` is ``{frame: value}`` in order. T has only a mean. The statistics are NaN if there is no value.
    """
    per_frame = [float(value) for value in values.values()]
    statistics = sequence_statistics(per_frame or [float('nan')])._asdict()
    kept = {s: statistics[s] for s in (STATISTICS[:1] if measure == 'T' else STATISTICS)}
    return dict(kept, frames=list(values), per_frame=per_frame)
