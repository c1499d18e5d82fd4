"""Draws pictures of a table: J and F of its rows, and J against seconds of fine-tuning."""

import io
import statistics
from pathlib import Path
from typing import TYPE_CHECKING

from tempseg_mm.runtime.atomic import written_beside

from .run import TableRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKERS = 'osD^vP*X'


def write_bars(table: TableRun, path: str | Path, *, title: str) -> bool:
    """Write a PNG: J and F of each finished row as bars, the mean over seeds, with a point for each of several seeds.

    The axis does not begin at zero, since rows often differ by a few points.

    Returns:
        True if it was written, which needs a finished row.
    """
    rows = [(row, found) for row in table.rows
            if (found := [result['scores'] for seed in table.seeds if (result := table.result(row, seed))])]
    figure = _figure((9, 1.4 + 0.5 * len(rows)))
    axes = figure.add_subplot(title=title, xlabel='per cent')
    every: list[float] = []
    for i, measure in enumerate('JF'):
        bars = [(at + 0.38 * (i - 0.5), values) for at, (_, found) in enumerate(rows) if (values := [
            100 * mean for scores in found if (mean := scores.get(measure, {}).get('mean')) is not None])]
        axes.barh([at for at, _ in bars], [statistics.mean(values) for _, values in bars], 0.36, label=measure,
                  color=f'C{i}')
        for at, values in bars:
            axes.annotate(f'{statistics.mean(values):.1f}', (max(values), at), xytext=(6, 0),
                          textcoords='offset points', va='center', fontsize='small')
        points = [(value, at) for at, values in bars if len(values) > 1 for value in values]
        axes.plot([value for value, _ in points], [at for _, at in points], 'k.', markersize=3)
        every += [value for _, values in bars for value in values]
    if not every:
        return False
    axes.set_xlim(max(0.0, min(every) - 5), min(100.0, max(every) + 5))
    axes.set_yticks(range(len(rows)), [row.title for row, _ in rows])
    axes.invert_yaxis()
    axes.grid(axis='x', alpha=0.3)
    axes.legend(loc='lower right', fontsize='small')
    _write(figure, path)
    return True


def curve_points(table: TableRun) -> list[tuple]:
    """Return ``(row, seconds of fine-tuning per sequence, J in per cent)`` of each finished row: means over seeds."""
    points = []
    for row in table.rows:
        results = [result for seed in table.seeds if (result := table.result(row, seed))]
        done = [(result['finetune_seconds'], 100 * result['scores']['J']['mean']) for result in results
                if 'finetune_seconds' in result and result['scores']['J']['mean'] is not None]
        if done:
            points.append((row, *map(statistics.mean, zip(*done, strict=True))))
    return points


def write_curve(table: TableRun, path: str | Path, *, title: str) -> bool:
    """Write a PNG: a line through the rows with ``curve``, in order of seconds, and a point for every other row.

    Returns:
        True if it was written, which needs at least two finished rows with ``curve``.
    """
    points = curve_points(table)
    joined = sorted((seconds, j) for row, seconds, j in points if row.curve)
    if len(joined) < 2:
        return False
    figure = _figure((10, 6))
    axes = figure.add_subplot(title=title, xlabel='fine-tuning, seconds per sequence', ylabel='J mean, per cent')
    axes.plot(*zip(*joined, strict=True), '.-', color='black', label='number of steps')
    for i, (row, seconds, j) in enumerate(point for point in points if not point[0].curve):
        axes.plot(seconds, j, MARKERS[i // 10 % len(MARKERS)], color=f'C{i % 10}', label=row.title)
    axes.grid(alpha=0.3)
    figure.legend(loc='outside right upper', fontsize='small')
    _write(figure, path)
    return True


def _figure(size: tuple[float, float]) -> 'Figure':
    from matplotlib.figure import Figure  # takes half a second, and only pictures need it

    return Figure(figsize=size, layout='constrained')


def _write(figure: 'Figure', path: str | Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_png(picture)
    with written_beside(path) as beside:
        beside.write_bytes(picture.getvalue())
