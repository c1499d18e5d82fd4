"""Page about one segmented sequence: player, curves, thumbnails, settings. Written by the inferencer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tempseg_mm.structures.frame_record import FrameRecord
from tempseg_mm.visualization.palette import object_colors

from .page import flat_rows, picture_uri, write_page


@dataclass(frozen=True)
class SequenceReport:
    """Content of the page.

    Attributes:
        title: any text, such as the name of the file that was segmented.
        video: overlay of the frames as a WebM video that browsers play; it is embedded in the page.
        fps: frames per second of the video.
        records: figures of the frames; record k is frame k of ``video``.
        finetune_losses: object id -> loss of every step of fine-tuning.
        finetune_gains: object id -> gain of fine-tuning, in words.
        settings: settings of the segmentation; mappings may contain mappings.
        versions: versions of the packages involved.
        timings: for example, seconds by stage.
        notices: sentences for the top of the page, such as files that could not be read.
        lost: (object id, first frame, last frame) of each stretch in which an object was probably lost.
        thumbnails: (index into ``records``, (h, w, 3) uint8 RGB picture) where the masks changed most.
    """
    title: str
    video: Path
    fps: float
    records: Sequence[FrameRecord]
    finetune_losses: Mapping[int, Sequence[float]] = field(default_factory=dict)
    finetune_gains: Mapping[int, str] = field(default_factory=dict)
    settings: Mapping = field(default_factory=dict)
    versions: Mapping = field(default_factory=dict)
    timings: Mapping = field(default_factory=dict)
    notices: Sequence[str] = ()
    lost: Sequence[tuple[int, int, int]] = ()
    thumbnails: Sequence[tuple[int, np.ndarray]] = ()


def write_sequence_report(path: str | Path, report: SequenceReport) -> None:
    """Write the page.

    Args:
        path: the file; its folder is created. It appears whole or not at all. It contains everything that it shows, so
            it can be sent and opened from a disk.
        report: content of the page.

    Raises:
        ValueError: if there is no record, if ``fps`` is not positive, or if a thumbnail has no record.
        OSError: if the video cannot be read.
    """
    if not report.records:
        raise ValueError(f'the report of {report.title!r} needs a record of at least one frame')
    if not report.fps > 0:
        raise ValueError(f'fps must be positive, got {report.fps}')
    for index, _ in report.thumbnails:
        if not 0 <= index < len(report.records):
            raise ValueError(f'a thumbnail belongs to record {index}, but there are {len(report.records)} records')
    objects = sorted({*report.finetune_losses, *(i for record in report.records for i in record.areas)})
    data = dict(
        title=report.title,
        fps=report.fps,
        objects=[dict(id=i, color=object_colors()[i].tolist()) for i in objects],
        frames=[dict(id=record.frame_id, name=record.file_name, given=record.given) for record in report.records],
        curves={name: {i: [getattr(record, name).get(i) for record in report.records] for i in objects}
                for name in ('areas', 'confidences', 'changes', 'scores')},
        lost=[dict(id=i, first=first, last=last) for i, first, last in report.lost],
        losses={i: list(losses) for i, losses in report.finetune_losses.items()},
        gains=report.finetune_gains,
        thumbnails=[dict(index=index, picture=picture_uri(picture)) for index, picture in report.thumbnails],
        notices=list(report.notices),
        tables=[dict(title=title, rows=flat_rows(table)) for title, table in (
            ('Timings', report.timings), ('Settings', report.settings), ('Versions', report.versions)) if table])
    write_page(path, 'sequence', title=report.title, data=data, video=Path(report.video))
