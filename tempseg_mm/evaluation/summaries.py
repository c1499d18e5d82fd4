"""Values by frame, summed up by object and by sequence. Used by the score table."""

import math
from collections.abc import Mapping, Sequence

from .functional.statistics import SequenceStatistics, sequence_statistics

STATISTICS = SequenceStatistics._fields


def units_of(summary: Mapping) -> Mapping[str, Mapping]:
    """The objects of a measure over one sequence; of one object alone, itself, under ''."""
    return summary.get('objects', {'': summary})


def sequence_summary(objects: Mapping[int, Mapping[str, Mapping[int, float]]]) -> dict[str, dict]:
    """What a table holds of one sequence: of its object, or the means over its objects, and each of them.

    Of a frame on which some objects have not shown yet, the mean is over the others.

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
    """What a table holds of one measure over one sequence.

    Args:
        measure: 'T' has a mean only.
        values: ``{frame: value}``, in order.

    Returns:
        The statistics, ``frames`` and ``per_frame``; NaN for the statistics of no value.
    """
    per_frame = [float(value) for value in values.values()]
    statistics = sequence_statistics(per_frame or [float('nan')])._asdict()
    kept = {s: statistics[s] for s in (STATISTICS[:1] if measure == 'T' else STATISTICS)}
    return dict(kept, frames=list(values), per_frame=per_frame)
