"""The scores of a test run as a table, with its text, JSON and CSV forms."""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tempseg_mm.runtime.atomic import written_beside

from .markdown import markdown_table
from .summaries import STATISTICS, sequence_summary, units_of

MEASURES = ('J', 'F', 'T')


@dataclass(frozen=True)
class ScoreTable:
    """Scores per sequence and overall.

    Attributes:
        sequences: ``{name: {'J': {'mean', 'recall', 'decay', 'frames', 'per_frame'}, 'F': {…}, 'T': {'mean', 'frames',
            'per_frame'}}}``, by name. ``per_frame`` lists the values of the frames that count, ``frames`` their
            indices. T of a frame compares it with the frame before; it is NaN if one of the two masks has no contour.
            If a sequence has several objects, these values are means over them, and the measure also has ``'objects':
            {'1': {'mean', …}, '2': {…}}``.
        protocol: how scores were computed, e.g. ``{'protocol': 'DAVIS 2016', 'frames': 'first and last left out'}``.
        notices: sentences on how masks were read.
        groups: sequence -> object -> name of the group over which a benchmark averages it; see :attr:`group_means`.
    """
    sequences: dict[str, dict[str, dict]]
    protocol: dict = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def from_frames(cls, frames: Iterable[Mapping], *, measures: Sequence[str] = ('J', 'F'),
                    protocol: Mapping | None = None) -> 'ScoreTable':
        """Build a table from the values of single frames, in any order.

        Args:
            frames: dicts of ``sequence``, ``frame_id``, optionally ``object``, and a value per measure. A measure may
                be missing if the frame has no value. If a frame occurs twice, because a distributed sampler pads, the
                first is kept.
            measures: names of the measures. An object without a value of the first measure does not count. A sequence
                without an object that counts has no row.
            protocol: see the class.
        """
        values: dict[str, dict[int, dict[str, dict[int, float]]]] = {}
        for frame in sorted(frames, key=lambda frame: frame['frame_id']):
            own = values.setdefault(frame['sequence'], {}).setdefault(
                frame.get('object', 0), {measure: {} for measure in measures})
            for measure in frame.keys() & own.keys():
                own[measure].setdefault(frame['frame_id'], frame[measure])
        sequences = {}
        for name in sorted(values):
            scored = {label: values[name][label] for label in sorted(values[name]) if values[name][label][measures[0]]}
            if scored:
                sequences[name] = sequence_summary(scored)
        return cls(sequences, dict(protocol or {}))

    @property
    def overall(self) -> dict[str, dict]:
        """``{'J': {'mean', 'recall', 'decay'}, 'F': {…}, 'T': {'mean', 'sequences'}, 'T_all': {…}}``; may be empty.

        J and F are unweighted means over sequences; over objects, as in DAVIS 2017, for sequences with ``objects``. T
        is averaged over the sequences that the official list of DAVIS 2016 does not leave out, T_all over all
        sequences. ``sequences`` names the sequences that have a value.
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

    @property
    def group_means(self) -> dict[str, float]:
        """``{'J_seen', 'F_seen', 'J_unseen', 'F_unseen', 'G'}`` as in YouTube-VOS, named after the groups.

        Each value is a mean over the objects of a group. If there are two or more groups, G is the mean of all these
        values.
        """
        values: dict[str, list] = {}
        for group in sorted({group for objects in self.groups.values() for group in objects.values()}):
            for measure in ('J', 'F'):
                values[f'{measure}_{group}'] = [
                    unit['mean'] for name, scores in self.sequences.items() if measure in scores
                    for label, unit in units_of(scores[measure]).items()
                    if self._group_of(name, label) == group and not math.isnan(unit['mean'])]
        means = {name: float(np.mean(found)) for name, found in values.items() if found}
        return dict(means, G=float(np.mean([*means.values()]))) if len(means) > 2 else means

    def objects(self, sequence: str) -> list[str]:
        """Return the objects of a sequence that has several; an empty list for other sequences."""
        return list(next(iter(self.sequences[sequence].values())).get('objects', ()))

    def scalars(self, sequence: str | None = None, object_id: str | None = None) -> dict[str, float]:
        """Return one row as ``{'J_mean', 'J_recall', 'J_decay', 'F_mean', …, 'J&F', 'T_mean', 'T_all'}``.

        J&F is the average of the means of J and F. Only the overall row has T_all, the mean over all sequences, and the
        means over groups.

        Args:
            sequence: name of a sequence; ``None`` for the overall row.
            object_id: one of :meth:`objects`; ``None`` for the mean over them.

        Raises:
            KeyError: if the sequence or object is unknown.
        """
        if sequence is not None and sequence not in self.sequences:
            raise KeyError(f'no scores of sequence {sequence!r}; the table has: {", ".join(self.sequences) or "none"}')
        scores = self.overall if sequence is None else self.sequences[sequence]
        if object_id is not None:
            scores = {measure: summary['objects'][object_id] for measure, summary in scores.items()}
        row = {f'{measure}_{s}': scores[measure][s] for measure in scores if measure[0] != 'T' for s in STATISTICS}
        if 'J' in scores and 'F' in scores:
            row['J&F'] = (row['J_mean'] + row['F_mean']) / 2
        for key, measure in (('T_mean', 'T'), ('T_all', 'T_all')):
            if measure in scores:
                row[key] = scores[measure]['mean']
        return {**row, **self.group_means} if sequence is None else row

    def to_json(self, path: str | Path) -> None:
        """Write sequences, overall scores, protocol and notices, with NaN as null. The file is replaced in one step."""
        content = dict(sequences=self.sequences, overall={**self.overall, **self.group_means}, protocol=self.protocol,
                       notices=self.notices)
        with written_beside(path) as beside:
            beside.write_text(json.dumps(_without_nan(content), indent=2) + '\n', encoding='utf-8')

    def to_csv(self, path: str | Path) -> None:
        """Write the rows of :meth:`to_text`. The folder is created; an existing file is replaced in one step."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator='\n')
        header, *rows = self._rows()
        writer.writerow(header)
        writer.writerows([name, frames, *(_number(value, 6, '') for value in values)] for name, frames, *values in rows)
        with written_beside(path) as beside:
            beside.write_text(text.getvalue(), encoding='utf-8')

    def to_text(self) -> str:
        """Format the table as plain text: protocol, one row per sequence by name, overall row, notices.

        A sequence with several objects has a row per object (``judo/1``) below its own.
        """
        title = '; '.join(['Scores', *(f'{key} {value}' for key, value in self.protocol.items())])
        header, *rows = self._rows()
        cells = [[name, str(frames), *(_number(value, 3, '-') for value in values)] for name, frames, *values in rows]
        lines = _aligned([[column.replace('_', ' ') for column in header], *cells])
        rule = '-' * len(lines[0])
        return '\n'.join([title, *lines[:-1], rule, lines[-1], *self._footnote(),
                          *(f'note: {notice}' for notice in self.notices)])

    def _footnote(self) -> list[str]:
        """Say over which sequences T is averaged, unless it is all of them."""
        known, stable = (self.overall.get(key, dict(sequences=[]))['sequences'] for key in ('T_all', 'T'))
        return [] if known == stable else [
            f'T mean: over the {len(stable)} of these {len(known)} sequences that count in the list of DAVIS 2016.']

    def _mean(self, measure: str, statistic: str, names: Iterable[str]) -> float:
        units = [unit for name in names for unit in units_of(self.sequences[name][measure]).values()]
        known = [unit[statistic] for unit in units if not math.isnan(unit[statistic])]
        return float(np.mean(known)) if known else float('nan')

    def _group_of(self, sequence: str, label: str) -> str | None:
        """Return the group of an object; a sequence with one object stores no id, so only a unique group is known."""
        groups = self.groups.get(sequence, {})
        return groups.get(label) if label else next(iter({*groups.values()})) if len({*groups.values()}) == 1 else None

    def _rows(self) -> list[list]:
        """Return the header, then one row per sequence and object, then the overall row: name, number of frames,
        scalars.

        In sequences that do not count for T the column T is empty; every sequence has its value under T_all.
        """
        overall = self.scalars()
        counts = {name: len(next(iter(scores.values()))['frames']) for name, scores in self.sequences.items()}
        rows = []
        for name in self.sequences:
            for object_id in (None, *self.objects(name)):
                row = self.scalars(name, object_id)
                if 'T_mean' in row:
                    row['T_all'] = row['T_mean']
                    row['T_mean'] = row['T_mean'] if counts_for_stability(name) else math.nan
                frames = counts[name] if object_id is None else len(
                    next(iter(self.sequences[name].values()))['objects'][object_id]['frames'])
                rows.append([name if object_id is None else f'{name}/{object_id}', frames,
                             *(row.get(column, math.nan) for column in overall)])
        return [['sequence', 'frames', *overall], *rows, ['overall', sum(counts.values()), *overall.values()]]


def comparison_table(rows: Mapping[str, Mapping[str, float]],
                     columns: Sequence[str] = ('J_mean', 'F_mean', 'J&F')) -> str:
    """Format the scores of several methods as an aligned Markdown table.

    Args:
        rows: ``{method: scalars}`` in the order to print, scalars as :meth:`ScoreTable.scalars` returns them.
        columns: names of the scalars in the order to print, e.g. also 'T_mean'.

    Raises:
        KeyError: if a row lacks one of the columns.
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
    """Replace NaN by None, because JSON has no NaN."""
    if isinstance(content, dict):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and math.isnan(content) else content


def _aligned(cells: list[list[str]]) -> list[str]:
    """Return lines of equal width; the first column is aligned to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    padded = ([cell.rjust(width) for cell, width in zip(row, widths, strict=True)] for row in cells)
    return ['  '.join([row[0].ljust(widths[0]), *line[1:]]) for row, line in zip(cells, padded, strict=True)]


# The benchmark averages T over STABLE only: in the other sequences occlusion changes the outline, not unsteady masks.
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
    """Return True if a sequence counts for the mean of T: it is not one that the list of DAVIS 2016 leaves out."""
    return all(sequence not in names for names in UNSTABLE.values())
