"""The scores of a test run as a table. Made by the metric, written by the test loop; relies on the statistics."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tempseg_mm.atomic import written_beside

from .functional.statistics import SequenceStatistics, sequence_statistics

STATISTICS = SequenceStatistics._fields


@dataclass(frozen=True)
class ScoreTable:
    """Scores per sequence and overall.

    Attributes:
        sequences: ``{name: {'J': {'mean', 'recall', 'decay', 'frames', 'per_frame'}, 'F': {…}}}``, by name;
            ``per_frame`` lists the values of the frames that count, ``frames`` their indices.
        protocol: how the scores were taken, e.g. ``{'name': 'DAVIS 2016', 'frames': 'first and last left out'}``.
    """
    sequences: dict[str, dict[str, dict]]
    protocol: dict = field(default_factory=dict)

    @classmethod
    def from_frames(cls, frames: Iterable[Mapping], *, measures: Sequence[str] = ('J', 'F'),
                    protocol: Mapping | None = None) -> 'ScoreTable':
        """Put a table together from single frames, in any order.

        Args:
            frames: dicts of ``sequence``, ``frame_id`` and one value per measure. Of a frame that comes twice (a
                distributed sampler pads) the first is kept.
            measures: names of the measures.
            protocol: see the class.
        """
        by_sequence: dict[str, dict[int, Mapping]] = {}
        for frame in frames:
            by_sequence.setdefault(frame['sequence'], {}).setdefault(frame['frame_id'], frame)
        sequences = {
            name: {measure: _summary({i: by_sequence[name][i][measure] for i in sorted(by_sequence[name])})
                   for measure in measures}
            for name in sorted(by_sequence)}
        return cls(sequences, dict(protocol or {}))

    @property
    def overall(self) -> dict[str, dict[str, float]]:
        """``{'J': {'mean', 'recall', 'decay'}, 'F': {…}}``, unweighted means over sequences; empty without any."""
        measures = next(iter(self.sequences.values()), {})
        return {
            measure: {s: float(np.mean([scores[measure][s] for scores in self.sequences.values()])) for s in STATISTICS}
            for measure in measures}

    def scalars(self, sequence: str | None = None) -> dict[str, float]:
        """One row as ``{'J_mean', 'J_recall', 'J_decay', 'F_mean', …, 'J&F'}``; J&F is the average of both means.

        Args:
            sequence: a name; ``None`` for the overall row.

        Raises:
            KeyError: an unknown sequence.
        """
        if sequence is not None and sequence not in self.sequences:
            raise KeyError(f'no scores of sequence {sequence!r}; the table has: {", ".join(self.sequences) or "none"}')
        scores = self.overall if sequence is None else self.sequences[sequence]
        row = {f'{measure}_{s}': scores[measure][s] for measure in scores for s in STATISTICS}
        if 'J' in scores and 'F' in scores:
            row['J&F'] = (row['J_mean'] + row['F_mean']) / 2
        return row

    def to_json(self, path: str | Path) -> None:
        """Write ``{'sequences': …, 'overall': …, 'protocol': …}``; the folder is made, the file replaced at once."""
        content = dict(sequences=self.sequences, overall=self.overall, protocol=self.protocol)
        with written_beside(path) as beside:
            beside.write_text(json.dumps(content, indent=2) + '\n', encoding='utf-8')

    def to_csv(self, path: str | Path) -> None:
        """Write a row per sequence, by name, then ``overall``; the folder is made, the file replaced at once."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator='\n')
        header, *rows = self._rows()
        writer.writerow(header)
        writer.writerows([name, frames, *(f'{value:.6f}' for value in values)] for name, frames, *values in rows)
        with written_beside(path) as beside:
            beside.write_text(text.getvalue(), encoding='utf-8')

    def to_text(self) -> str:
        """The table in plain text: the protocol, a row per sequence by name, the overall row last."""
        title = '; '.join(['Scores', *(f'{key} {value}' for key, value in self.protocol.items())])
        header, *rows = self._rows()
        cells = [[name, str(frames), *(f'{value:.3f}' for value in values)] for name, frames, *values in rows]
        lines = _aligned([[column.replace('_', ' ') for column in header], *cells])
        rule = '-' * len(lines[0])
        return '\n'.join([title, lines[0], rule, *lines[1:-1], rule, lines[-1]])

    def _rows(self) -> list[list]:
        """Header, a row per sequence, the overall row: name, number of frames, the scalars."""
        counts = {name: len(next(iter(scores.values()))['frames']) for name, scores in self.sequences.items()}
        rows = [[name, counts[name], *self.scalars(name).values()] for name in self.sequences]
        overall = self.scalars()
        return [['sequence', 'frames', *overall], *rows, ['overall', sum(counts.values()), *overall.values()]]


def comparison_table(rows: Mapping[str, Mapping[str, float]],
                     columns: Sequence[str] = ('J_mean', 'F_mean', 'J&F')) -> str:
    """Methods side by side, as an aligned Markdown table.

    Args:
        rows: ``{method: scalars}``, scalars as :meth:`ScoreTable.scalars` gives them, in the order to print.
        columns: which scalars, in which order.

    Raises:
        KeyError: a row without one of the columns.
    """
    cells = [['method', *(column.replace('_', ' ') for column in columns)]]
    for method, scores in rows.items():
        missing = [column for column in columns if column not in scores]
        if missing:
            raise KeyError(f'the scores of {method!r} lack {", ".join(missing)}; they have: {", ".join(scores)}')
        cells.append([method, *(f'{scores[column]:.3f}' for column in columns)])
    header, *body = _aligned(cells, separator=' | ')
    rule = '|'.join('-' * (len(cell) + 1) + ('-' if i == 0 else ':') for i, cell in enumerate(header.split(' | ')))
    return '\n'.join([f'| {header} |', f'|{rule}|', *(f'| {line} |' for line in body)])


def _summary(values: dict[int, float]) -> dict:
    """Statistics and values of one measure over one sequence, from ``{frame: value}``."""
    per_frame = [float(value) for value in values.values()]
    return dict(sequence_statistics(per_frame)._asdict(), frames=list(values), per_frame=per_frame)


def _aligned(cells: list[list[str]], separator: str = '  ') -> list[str]:
    """Lines of equal width: first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    padded = ([cell.rjust(width) for cell, width in zip(row, widths, strict=True)] for row in cells)
    return [separator.join([row[0].ljust(widths[0]), *line[1:]]) for row, line in zip(cells, padded, strict=True)]
