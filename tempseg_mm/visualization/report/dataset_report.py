"""The page of a tested data set: a sortable table, worst frames first. Written by the report hook."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tempseg_mm.visualization.palette import MEASURE_COLORS, object_colors

from .page import flat_rows, write_page


@dataclass(frozen=True)
class SequenceRow:
    """What a page shows of one sequence. Plain types only, so that processes can send it to each other.

    Attributes:
        name: of the sequence.
        num_frames: its length.
        seconds: that it took, fine-tuning included.
        thumbnails: (frame, J or ``None``, picture) of its worst frames, worst first; pictures as
            :func:`~.page.picture_uri` makes them.
        links: title -> address, relative to the page, of what else there is of the sequence.
        told: sentences on it, such as what fine-tuning gained.
    """
    name: str
    num_frames: int
    seconds: float
    thumbnails: Sequence[tuple] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    told: Sequence[str] = ()


@dataclass(frozen=True)
class DatasetReport:
    """What a page shows.

    Attributes:
        title: any text.
        rows: one a sequence.
        columns: names of the scores, in order, such as ``J_mean``; the page is sorted by the first.
        scores: values by sequence, then by column; NaN or nothing where there is none.
        means: of the data set, by column.
        curves: by sequence, then by measure: ``{'frames': …, 'per_frame': …}`` as in a row of ``ScoreTable.sequences``.
        settings: what was tested, how; mappings may lie in mappings.
        versions: of the packages involved.
        notices: sentences for the top of the page.
        objects: values of each object, by sequence, object and column, where a sequence has several.
    """
    title: str
    rows: Sequence[SequenceRow]
    columns: Sequence[str] = ()
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    means: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, Mapping[str, Mapping]] = field(default_factory=dict)
    settings: Mapping = field(default_factory=dict)
    versions: Mapping = field(default_factory=dict)
    notices: Sequence[str] = ()
    objects: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)


def write_dataset_report(path: str | Path, report: DatasetReport) -> None:
    """Write the page.

    Args:
        path: the file; its folder is made, and it appears whole or not at all. All but what ``links`` lead to lies in
            the page itself.
        report: what it shows.

    Raises:
        ValueError: no row, or two of one name.
    """
    names = [row.name for row in report.rows]
    if not names or len(set(names)) < len(names):
        raise ValueError(f'a report needs at least one sequence and each once, got {names}')
    data = dict(
        title=report.title,
        columns=list(report.columns),
        rows=[_row(row, report) for row in report.rows],
        means=report.means,
        notices=list(report.notices),
        tables=[dict(title=title, rows=flat_rows(table))
                for title, table in (('Settings', report.settings), ('Versions', report.versions)) if table])
    write_page(path, 'dataset', title=report.title, data=data)


def _row(row: SequenceRow, report: DatasetReport) -> dict:
    curves = [dict(label=measure, color=object_colors()[MEASURE_COLORS.get(measure, 5)].tolist(),
                   values=_by_frame(curve, row.num_frames))
              for measure, curve in report.curves.get(row.name, {}).items()]
    return dict(
        name=row.name, frames=row.num_frames, seconds=row.seconds, scores=report.scores.get(row.name, {}),
        objects=[dict(name=name, scores=scores) for name, scores in report.objects.get(row.name, {}).items()],
        curves=curves, told=list(row.told), links=row.links,
        thumbnails=[dict(frame=frame, score=score, picture=picture) for frame, score, picture in row.thumbnails])


def _by_frame(curve: Mapping, num_frames: int) -> list:
    """A value a frame, ``None`` where there is none."""
    values = dict(zip(curve['frames'], curve['per_frame'], strict=True))
    return [values.get(frame) for frame in range(num_frames)]
