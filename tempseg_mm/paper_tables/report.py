"""Writes a table of measured values beside the paper's, in Markdown and CSV, with pictures of it."""

import csv
import io
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

from tempseg_mm.evaluation.markdown import markdown_table
from tempseg_mm.runtime.atomic import written_beside

from .lacking import lacking_variables
from .pictures import write_bars, write_curve
from .rows import Row, by_reason
from .run import TableRun

HEADER = ('variant', 'J', 'F', 'T', 'ΔJ', 'paper J', 'paper ΔJ', 'training', 'fine-tuning', 'test', 'seeds', 'commit')


def write_report(table: TableRun, path: str | Path, *, title: str) -> str:
    """Write the table to ``path`` (Markdown) and to the same name with ``.csv`` (one line per row and seed, unrounded).

    Values are means over seeds in per cent, ± the standard deviation if there are several. ΔJ is the difference to the
    row that it is compared with, seed by seed. Fine-tuning is in seconds per sequence. The table says which rows are
    not done or cannot run, and why. Pictures come beside it: ``rows.png``, see :func:`~.pictures.write_bars`, and if
    possible ``curve.png``, see :func:`~.pictures.write_curve`.

    Args:
        table: the table; it may be unfinished.
        path: path of the Markdown file.
        title: first line of the file.

    Returns:
        The Markdown text.
    """
    rows = [_cells(table, row) for row in table.rows]
    notes = by_reason(table.rows, {row.key: reason for row in table.rows if (reason := _why_not(table, row))})
    text = '\n'.join([title, '', markdown_table(HEADER, rows), *(['', *notes] if notes else [])]) + '\n'
    with written_beside(path) as beside:
        beside.write_text(text, encoding='utf-8')
    with written_beside(Path(path).with_suffix('.csv')) as beside:
        beside.write_text(_csv(table), encoding='utf-8')
    write_bars(table, Path(path).with_name('rows.png'), title=title)
    write_curve(table, Path(path).with_name('curve.png'), title=title)
    return text


def _why_not(table: TableRun, row: Row) -> str | None:
    variables = lacking_variables(row)
    return table.reasons.get(row.key) or (f'set {" and ".join(variables)}' if variables else None)


def _cells(table: TableRun, row: Row) -> list[str]:
    results = {seed: result for seed in table.seeds if (result := table.result(row, seed))}
    against = next((other for other in table.rows if other.key == row.against), row)
    paper = '' if row.paper is None else f'{row.paper:.1f}'
    base = against.paper
    paper_gain = '' if against is row or None in (row.paper, base) else f'{row.paper - base:+.1f}'
    if not results:
        return [row.title, 'not run', '', '', '', paper, paper_gain, *[''] * 5]
    gains = [j - other_j[0] for seed, result in results.items() if against is not row
             for j in _per_cent([result], 'J') if (other_j := _per_cent([table.result(against, seed)], 'J'))]
    return [
        row.title,
        *(_spread(_per_cent(results.values(), measure)) for measure in 'JFT'),
        _spread(gains, sign='+'), paper, paper_gain,
        _minutes([r['train_seconds'] for r in results.values()]),
        _seconds([r['finetune_seconds'] for r in results.values() if 'finetune_seconds' in r]),
        _minutes([r['seconds'] for r in results.values()]),
        ' '.join(map(str, results)), ' '.join(dict.fromkeys(r['commit'] for r in results.values()))]


def _per_cent(results: Iterable[dict | None], measure: str) -> list[float]:
    """Return the means of a measure, without rows that are not done, lack the measure, or have no frame that counts."""
    means = [result['scores'].get(measure, {}).get('mean') for result in results if result]
    return [100 * mean for mean in means if mean is not None]


def _spread(values: Sequence[float], sign: str = '') -> str:
    if not values:
        return ''
    mean = f'{statistics.mean(values):{sign}.1f}'
    return f'{mean} ± {statistics.stdev(values):.1f}' if len(values) > 1 else mean


def _minutes(seconds: Sequence[float]) -> str:
    return f'{statistics.mean(seconds) / 60:.1f} min' if any(seconds) else '-'


def _seconds(seconds: Sequence[float]) -> str:
    return f'{statistics.mean(seconds):.1f} s' if any(seconds) else '-'


def _csv(table: TableRun) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(['row', 'variant', 'seed', 'J', 'F', 'T', 'paper_J', 'train_seconds',
                     'finetune_seconds', 'test_seconds', 'commit'])
    for row in table.rows:
        for seed in table.seeds:
            if result := table.result(row, seed):
                scores = [result['scores'].get(measure, {}).get('mean', '') for measure in 'JFT']
                writer.writerow([row.key, row.title, seed, *scores, '' if row.paper is None else row.paper,
                                 f'{result["train_seconds"]:.1f}', result.get('finetune_seconds', ''),
                                 f'{result["seconds"]:.1f}', result['commit']])
    return text.getvalue()
