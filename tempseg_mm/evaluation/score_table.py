"""The scores of a test run as a table. Made by the metric, written by the test loop; relies on the statistics."""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tempseg_mm.runtime.atomic import written_beside

from .functional.statistics import SequenceStatistics, sequence_statistics
from .markdown import markdown_table

STATISTICS = SequenceStatistics._fields
MEASURES = ('J', 'F', 'T')


@dataclass(frozen=True)
class ScoreTable:
    """Scores per sequence and overall.

    Attributes:
        sequences: ``{name: {'J': {'mean', 'recall', 'decay', 'frames', 'per_frame'}, 'F': {…}, 'T': {'mean', 'frames',
            'per_frame'}}}``, by name; ``per_frame`` lists the values of the frames that count, ``frames`` their
            indices. T of a frame is that of the pair it ends; NaN where one of the two has no contour.
        protocol: how the scores were taken, e.g. ``{'name': 'DAVIS 2016', 'frames': 'first and last left out'}``.
        notices: what a reader should know of how masks were read.
    """
    sequences: dict[str, dict[str, dict]]
    protocol: dict = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)

    @classmethod
    def from_frames(cls, frames: Iterable[Mapping], *, measures: Sequence[str] = ('J', 'F'),
                    protocol: Mapping | None = None) -> 'ScoreTable':
        """Put a table together from single frames, in any order.

        Args:
            frames: dicts of ``sequence``, ``frame_id`` and a value per measure; a measure may be missing where a frame
                has no value. Of a frame that comes twice (a distributed sampler pads) the first is kept.
            measures: names of the measures. A sequence without a value of the first of them has no row.
            protocol: see the class.
        """
        by_sequence: dict[str, dict[int, Mapping]] = {}
        for frame in frames:
            by_sequence.setdefault(frame['sequence'], {}).setdefault(frame['frame_id'], frame)
        sequences = {}
        for name, by_frame in sorted(by_sequence.items()):
            values = {measure: {i: by_frame[i][measure] for i in sorted(by_frame) if measure in by_frame[i]}
                      for measure in measures}
            if any(values[measure] for measure in measures[:1]):
                sequences[name] = {measure: measure_summary(measure, values[measure]) for measure in measures}
        return cls(sequences, dict(protocol or {}))

    @property
    def overall(self) -> dict[str, dict]:
        """``{'J': {'mean', 'recall', 'decay'}, 'F': {…}, 'T': {'mean', 'sequences'}, 'T_all': {…}}``; may be empty.

        Unweighted means over sequences; of scores with ``objects``, over objects, as DAVIS 2017 has it. T is averaged
        over the sequences that the official list of DAVIS 2016 does not leave out, T_all over all; ``sequences`` names
        those with a value.
        """
        measures = list(next(iter(self.sequences.values()), {}))
        overall = {measure: {s: self._mean(measure, s, self.sequences) for s in STATISTICS}
                   for measure in measures if measure != 'T'}
        if 'T' in measures:
            known = [name for name, scores in self.sequences.items() if not math.isnan(scores['T']['mean'])]
            stable = [name for name in known if counts_for_stability(name)]
            for key, names in (('T', stable), ('T_all', known)):
                overall[key] = dict(mean=self._mean('T', 'mean', names), sequences=names)
        return overall

    def scalars(self, sequence: str | None = None) -> dict[str, float]:
        """One row as ``{'J_mean', 'J_recall', 'J_decay', 'F_mean', …, 'J&F', 'T_mean', 'T_all'}``.

        J&F is the average of both means. T_all, the mean over all sequences, is in the overall row only.

        Args:
            sequence: a name; ``None`` for the overall row.

        Raises:
            KeyError: an unknown sequence.
        """
        if sequence is not None and sequence not in self.sequences:
            raise KeyError(f'no scores of sequence {sequence!r}; the table has: {", ".join(self.sequences) or "none"}')
        scores = self.overall if sequence is None else self.sequences[sequence]
        row = {f'{measure}_{s}': scores[measure][s] for measure in scores if measure[0] != 'T' for s in STATISTICS}
        if 'J' in scores and 'F' in scores:
            row['J&F'] = (row['J_mean'] + row['F_mean']) / 2
        for key, measure in (('T_mean', 'T'), ('T_all', 'T_all')):
            if measure in scores:
                row[key] = scores[measure]['mean']
        return row

    def to_json(self, path: str | Path) -> None:
        """Write ``{'sequences': …, 'overall': …, 'protocol': …, 'notices': …}``, NaN as null; the file is replaced at
        once."""
        content = dict(sequences=self.sequences, overall=self.overall, protocol=self.protocol, notices=self.notices)
        with written_beside(path) as beside:
            beside.write_text(json.dumps(_without_nan(content), indent=2) + '\n', encoding='utf-8')

    def to_csv(self, path: str | Path) -> None:
        """Write a row per sequence, by name, then ``overall``; the folder is made, the file replaced at once."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator='\n')
        header, *rows = self._rows()
        writer.writerow(header)
        writer.writerows([name, frames, *(_number(value, 6, '') for value in values)] for name, frames, *values in rows)
        with written_beside(path) as beside:
            beside.write_text(text.getvalue(), encoding='utf-8')

    def to_text(self) -> str:
        """The table in plain text: the protocol, a row per sequence by name, the overall row last, then the notices."""
        title = '; '.join(['Scores', *(f'{key} {value}' for key, value in self.protocol.items())])
        header, *rows = self._rows()
        cells = [[name, str(frames), *(_number(value, 3, '-') for value in values)] for name, frames, *values in rows]
        lines = _aligned([[column.replace('_', ' ') for column in header], *cells])
        rule = '-' * len(lines[0])
        return '\n'.join([title, *lines[:-1], rule, lines[-1], *self._footnote(),
                          *(f'note: {notice}' for notice in self.notices)])

    def _footnote(self) -> list[str]:
        """Over what T is averaged, where that is not all."""
        known, stable = (self.overall.get(key, dict(sequences=[]))['sequences'] for key in ('T_all', 'T'))
        return [] if known == stable else [
            f'T mean: over the {len(stable)} of these {len(known)} sequences that the list of DAVIS 2016 counts.']

    def _mean(self, measure: str, statistic: str, names: Iterable[str]) -> float:
        units = [unit for name in names for unit in self.sequences[name][measure].get(
            'objects', {None: self.sequences[name][measure]}).values()]
        known = [unit[statistic] for unit in units if not math.isnan(unit[statistic])]
        return float(np.mean(known)) if known else float('nan')

    def _rows(self) -> list[list]:
        """Header, a row per sequence, the overall row: name, number of frames, the scalars.

        Where T counts for some sequences only, its column is empty for the others, and all have theirs under T_all.
        """
        overall = self.scalars()
        counts = {name: len(next(iter(scores.values()))['frames']) for name, scores in self.sequences.items()}
        rows = []
        for name in self.sequences:
            row = self.scalars(name)
            if 'T_mean' in row:
                row['T_all'] = row['T_mean']
                row['T_mean'] = row['T_mean'] if counts_for_stability(name) else math.nan
            rows.append([name, counts[name], *row.values()])
        return [['sequence', 'frames', *overall], *rows, ['overall', sum(counts.values()), *overall.values()]]


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


def comparison_table(rows: Mapping[str, Mapping[str, float]],
                     columns: Sequence[str] = ('J_mean', 'F_mean', 'J&F')) -> str:
    """Methods side by side, as an aligned Markdown table.

    Args:
        rows: ``{method: scalars}``, scalars as :meth:`ScoreTable.scalars` gives them, in the order to print.
        columns: which scalars, in which order, e.g. also 'T_mean'.

    Raises:
        KeyError: a row without one of the columns.
    """
    cells = []
    for method, scores in rows.items():
        missing = [column for column in columns if column not in scores]
        if missing:
            raise KeyError(f'the scores of {method!r} lack {", ".join(missing)}; they have: {", ".join(scores)}')
        cells.append([method, *(_number(scores[column], 3, '-') for column in columns)])
    return markdown_table(['method', *(column.replace('_', ' ') for column in columns)], cells)


def _number(value: float, digits: int, missing: str) -> str:
    return missing if math.isnan(value) else f'{value:.{digits}f}'


def _without_nan(content: object) -> object:
    """The same with None for NaN, which JSON does not know."""
    if isinstance(content, dict):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and math.isnan(content) else content


def _aligned(cells: list[list[str]]) -> list[str]:
    """Lines of equal width: first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    padded = ([cell.rjust(width) for cell, width in zip(row, widths, strict=True)] for row in cells)
    return ['  '.join([row[0].ljust(widths[0]), *line[1:]]) for row, line in zip(cells, padded, strict=True)]


# The benchmark averages T over these only: elsewhere the outline changes by occlusion, not by unsteady masks.
STABLE = dict(
    train=('bear', 'boat', 'bus', 'car-turn', 'dance-jump', 'drift-turn', 'elephant', 'flamingo', 'hike', 'hockey',
           'kite-walk', 'mallard-water', 'motocross-bumps', 'rhino', 'stroller', 'surf', 'train'),
    val=('blackswan', 'camel', 'car-roundabout', 'car-shadow', 'cows', 'drift-straight', 'kite-surf',
         'paragliding-launch', 'scooter-black', 'soapbox'))
UNSTABLE = dict(
    train=('bmx-bumps', 'breakdance-flare', 'dog-agility', 'horsejump-low', 'lucia', 'mallard-fly', 'motorbike',
           'paragliding', 'rollerblade', 'scooter-gray', 'soccerball', 'swing', 'tennis'),
    val=('bmx-trees', 'breakdance', 'dance-twirl', 'dog', 'drift-chicane', 'goat', 'horsejump-high', 'libby',
         'motocross-jump', 'parkour'))


def counts_for_stability(sequence: str) -> bool:
    """Whether a sequence is part of the mean of T: all but those that the list of DAVIS 2016 leaves out."""
    return all(sequence not in names for names in UNSTABLE.values())
