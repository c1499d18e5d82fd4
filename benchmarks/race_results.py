"""Writes the results of a race as tables, a CSV file and a picture, for race.py. A row is a run of one method.

A row is ``dict(method, seconds, sequence, J, F, steps, finetuning, total)``: `seconds` is the time allowed for
fine-tuning (0 for methods that do not learn), `finetuning` the time used, `total` the time for the whole sequence.
"""

import csv
from pathlib import Path

LEARNERS = dict(ours='our recipe', osvos="OSVOS's recipe")
RIVALS = dict(flow='moving the mask along the flow', copy='copying the mask')
TITLES = {**LEARNERS, **RIVALS}
FIGURES = dict(J='J', F='F', steps='steps', finetuning='fine-tuning, s', total='s per sequence')
WANTED = 10  # points of J by which our recipe should lead the better rival


def write_csv(path: Path, rows: list[dict]) -> None:
    from tempseg_mm.runtime.atomic import written_beside
    with written_beside(path) as beside, beside.open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, ['method', 'seconds', 'sequence', *FIGURES], lineterminator='\n')
        writer.writeheader()
        writer.writerows({key: round(value, 6) if isinstance(value, float) else value for key, value in row.items()}
                         for row in rows)


def means(rows: list[dict]) -> dict:
    """Map (method, seconds) to each figure's mean over sequences."""
    found: dict = {}
    for row in rows:
        found.setdefault((row['method'], row['seconds']), []).append(row)
    return {heat: {figure: sum(row[figure] for row in of_heat) / len(of_heat) for figure in FIGURES}
            for heat, of_heat in found.items()}


def report(rows: list[dict], per_sequence: bool) -> str:
    """Return the tables, and the lead of our recipe at equal time."""
    from tempseg_mm.evaluation.markdown import markdown_table
    found = means(rows)
    budget = {heat: f'{heat[1]:g}' if heat[0] in LEARNERS else '-' for heat in found}
    lines = [markdown_table(
        ['method', 'seconds given', *FIGURES.values()],
        [[TITLES[heat[0]], budget[heat], *(f'{mean[figure]:.3f}' for figure in 'JF'),
          *(f'{mean[figure]:.{digits}f}' for figure, digits in (('steps', 0), ('finetuning', 1), ('total', 1)))]
         for heat, mean in found.items()])]
    if per_sequence:
        scores = {(row['sequence'], (row['method'], row['seconds'])): f'{row["J"]:.3f}' for row in rows}
        names = dict.fromkeys(row['sequence'] for row in rows)
        lines.append(markdown_table(['J', *(f'{heat[0]} {budget[heat]}'.removesuffix(' -') for heat in found)],
                                    [[name, *(scores[name, heat] for heat in found)] for name in names]))
    simple = next(mean['J'] for heat, mean in found.items() if heat[0] == 'flow')
    ahead = {seconds: 100 * (mean['J'] - max(simple, found['osvos', seconds]['J']))
             for (method, seconds), mean in found.items() if method == 'ours'}
    lines.append('\n'.join(f'{seconds:g} s: J {points:+.1f} points against the better rival   (wanted: {WANTED})'
                           for seconds, points in ahead.items()))
    return '\n\n'.join(lines)


def draw(path: Path, rows: list[dict]) -> None:
    """Draw J and F against the total seconds per sequence."""
    from matplotlib.figure import Figure

    from tempseg_mm.runtime.atomic import written_beside
    figure = Figure(figsize=(8, 3.5), layout='constrained')
    for place, measure in enumerate('JF', start=1):
        axes = figure.add_subplot(1, 2, place, xlabel='seconds per sequence', ylabel=measure, ylim=(0, 1))
        for method, title in TITLES.items():
            points = sorted((mean['total'], mean[measure]) for heat, mean in means(rows).items() if heat[0] == method)
            axes.plot(*zip(*points, strict=True), marker='o', label=title)
        axes.grid(alpha=0.3)
    figure.legend(*axes.get_legend_handles_labels(), loc='outside lower center', ncols=len(TITLES))
    with written_beside(path) as beside:
        figure.savefig(beside)
