"""J against seconds of fine-tuning as a picture. Called by the report; relies on matplotlib, which mmengine brings."""

import io
import statistics
from pathlib import Path

from tempseg_mm.runtime.atomic import written_beside

from .run import TableRun

MARKERS = 'osD^vP*X'


def curve_points(table: TableRun) -> list[tuple]:
    """``(row, seconds of fine-tuning a sequence, J in per cent)`` of each row that is done, means over its seeds."""
    points = []
    for row in table.rows:
        results = [result for seed in table.seeds if (result := table.result(row, seed))]
        done = [(result['finetune_seconds'], 100 * result['scores']['J']['mean']) for result in results
                if 'finetune_seconds' in result and result['scores']['J']['mean'] is not None]
        if done:
            points.append((row, *map(statistics.mean, zip(*done, strict=True))))
    return points


def write_curve(table: TableRun, path: str | Path, *, title: str) -> bool:
    """Write a PNG: rows with ``curve`` joined by a line in order of seconds, every other row a point beside it.

    Args:
        table: run to the end or not.
        path: of the picture.
        title: above it.

    Returns:
        Whether it was written: two points are a line.
    """
    points = curve_points(table)
    joined = sorted((seconds, j) for row, seconds, j in points if row.curve)
    if len(joined) < 2:
        return False
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # half a second, and only curves need it
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6), layout='constrained')
    axes = figure.add_subplot(title=title, xlabel='fine-tuning, seconds a sequence', ylabel='J mean, per cent')
    axes.plot(*zip(*joined, strict=True), '.-', color='black', label='number of steps')
    for i, (row, seconds, j) in enumerate(point for point in points if not point[0].curve):
        axes.plot(seconds, j, MARKERS[i // 10 % len(MARKERS)], color=f'C{i % 10}', label=row.title)
    axes.grid(alpha=0.3)
    figure.legend(loc='outside right upper', fontsize='small')
    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_png(picture)
    with written_beside(path) as beside:
        beside.write_bytes(picture.getvalue())
    return True
