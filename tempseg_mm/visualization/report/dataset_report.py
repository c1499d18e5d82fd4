"""Page about a tested data set: a sortable table, worst frames first. Written by the report hook."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tempseg_mm.visualization.palette import MEASURE_COLORS, object_colors

from .page import flat_rows, write_page


@dataclass(frozen=True)
class SequenceRow:
    """Part of the page about one sequence. It has only plain types, so that processes can send it to each other.

    Attributes:
        name: name of the sequence.
        num_frames: number of frames.
        seconds: time that the sequence took, including fine-tuning.
        thumbnails: (frame, J or ``None``, picture) of its worst frames, worst first; pictures are made by
            :func:`~tempseg_mm.visualization.report.page.picture_uri`.
        links: title -> address, relative to the page, of other files about the sequence.
        told: sentences about the sequence, such as the gain of fine-tuning.
    """
    name: str
    num_frames: int
    seconds: float
    thumbnails: Sequence[tuple] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    told: Sequence[str] = ()


@dataclass(frozen=True)
class DatasetReport:
    """Content of the page.

    Attributes:
        title: any text.
        rows: one per sequence.
        columns: names of the scores in order, such as ``J_mean``; the page is sorted by the first.
        scores: sequence -> column -> value; NaN or absent if there is none.
        means: column -> mean over the data set.
        curves: sequence -> measure -> ``{'frames': …, 'per_frame': …}`` as in a row of ``ScoreTable.sequences``.
        settings: what was tested and how; mappings may contain mappings.
        versions: versions of the packages involved.
        notices: sentences for the top of the page.
        objects: sequence -> object -> column -> value, for sequences with several objects.
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
        path: the file; its folder is created. It appears whole or not at all and contains everything except the targets
            of its links.
        report: content of the page.

    Raises:
        ValueError: if there is no row, or two rows with one name.
    """
    names = [row.name for row in report.rows]
    if not names or len(set(names)) < len(names):
        raise ValueError(f'a report needs at least one sequence, and each of them once, got {names}')
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
    """Return one value per frame, ``None`` for a frame without a value."""
    values = dict(zip(curve['frames'], curve['per_frame'], strict=True))
    return [values.get(frame) for frame in range(num_frames)]
