"""Scores over time as a picture. Called by tools/evaluate_masks.py; relies on matplotlib, which mmengine brings."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from tempseg_mm.runtime.atomic import written_beside


def write_score_plot(path: str | Path, scores: Mapping[str, Mapping[str, Sequence]], *, title: str = '') -> None:
    """Write a PNG with a curve a measure, in [0, 1] against the number of the frame.

    Args:
        path: the file; its folder is made.
        scores: ``{measure: {'frames', 'per_frame', 'mean'}}`` as in a row of ``ScoreTable.sequences``.
        title: above the curves.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # half a second, and only plots need it
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3), layout='constrained')
    axes = figure.add_subplot(title=title, xlabel='frame', ylim=(0, 1))
    for measure, values in scores.items():
        axes.plot(values['frames'], values['per_frame'], label=f'{measure}  (mean {values["mean"]:.3f})')
    axes.grid(alpha=0.3)
    if scores:
        axes.legend(loc='lower left')
    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_png(picture)
    with written_beside(path) as beside:
        beside.write_bytes(picture.getvalue())
