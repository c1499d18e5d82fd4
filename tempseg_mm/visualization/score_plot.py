"""Plot of scores over time. Called by tempseg-evaluate; uses matplotlib, a requirement of mmengine."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tempseg_mm.runtime.atomic import written_beside

from .palette import MEASURE_COLORS, object_colors

MARGIN = 0.04  # share of an axis beyond its ends, so that a line at 0 or 1 is entirely visible


def write_score_plot(path: str | Path, scores: Mapping[str, Mapping[str, Sequence]], *, title: str = '') -> None:
    """Write a PNG with one curve per measure over the frame number: J and F in [0, 1], T on its own axis.

    Args:
        path: the file; its folder is created.
        scores: ``{measure: {'frames', 'per_frame', 'mean'}}`` as in a row of ``ScoreTable.sequences``.
        title: text above the curves.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # half a second, needed by plots only
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3), layout='constrained')
    axes = figure.add_subplot(title=title, xlabel='frame', ylabel='J, F', ylim=(-MARGIN, 1 + MARGIN))
    axes.grid(alpha=0.3)
    lines = []
    for measure, values in scores.items():
        on = _axis_of_t(axes, values['per_frame']) if measure == 'T' else axes
        style = dict(color=object_colors()[MEASURE_COLORS[measure]] / 255, linestyle='--' if measure == 'T' else '-')
        # With points, because a single value between frames without values draws no line.
        lines += on.plot(values['frames'], values['per_frame'], marker='.', markersize=3, **style,
                         label=f'{measure}  (mean {values["mean"]:.3f})')
    if lines:
        figure.legend(handles=lines, loc='outside upper right', ncols=len(lines), frameon=False)
    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_png(picture)
    with written_beside(path) as beside:
        beside.write_bytes(picture.getvalue())


def _axis_of_t(axes, values: Sequence[float]):
    """Add an axis on the right for T, from 0 to the largest value: T has no bound, and smaller is better."""
    on = axes.twinx()
    top = max([1.0, *(value for value in values if np.isfinite(value))])
    on.set(ylim=(-MARGIN * top, (1 + MARGIN) * top), ylabel='T (less is steadier)')
    return on
