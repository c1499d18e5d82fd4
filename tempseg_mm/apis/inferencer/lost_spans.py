"""Finds the frames in which an object was probably lost, from the records of frames alone."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from tempseg_mm.structures import FrameRecord
from tempseg_mm.structures.segmented_frame import SURE

LOST_FRAMES = 3
EMPTY, UNSURE = 'empty', 'unsure'


@dataclass(frozen=True)
class LostSpan:
    """A range of consecutive frames in which an object was probably lost.

    Attributes:
        object_id: id of the object, 1 to 255.
        first: first frame.
        last: last frame.
        at: the frame, ``first`` or ``last``, where the object got lost; a mask given there helps most. It is ``last``
            if the walk went backwards.
        why: ``'empty'`` if no frame of the range has a mask; ``'unsure'`` if the masks are doubtful.
    """
    object_id: int
    first: int
    last: int
    at: int
    why: str


def lost_spans(records: Sequence[FrameRecord]) -> list[LostSpan]:
    """Return the spans of at least :data:`LOST_FRAMES` frames, sorted by object, then by frame.

    An object counts as lost if its mask holds less than :data:`SURE` of its possible pixels; docs/notices.md says how
    often that is right. It is not lost after a given mask has ended it, nor before it first appears, unless the walk
    goes backwards from there.

    Args:
        records: records of one sequence, in order; frames may be missing.
    """
    shown = {i: _first_given(records, i) for i in sorted({i for record in records for i in record.areas})}
    starts = [first for first in shown.values() if first is not None]
    return [span for i, first in shown.items() if first is not None
            for span in _spans_of(records, i, first, since=records[0].frame_id if first == min(starts) else first)]


def sentences_on(spans: Iterable[LostSpan]) -> list[str]:
    """Return one notice per lost object: the frames, and what to do about it."""
    told = []
    for object_id, own in groupby(spans, key=lambda span: span.object_id):
        first, *others = own
        again = f', then {", ".join(map(_in_words, others))}' if others else ''
        told.append(f'Object {object_id} was probably lost at {_in_words(first)}{again}: give a mask there '
                    f'(--mask FILE@{first.at} --correct).')
    return told


def _in_words(span: LostSpan) -> str:
    end = span.last if span.at == span.first else span.first
    return f'frame {span.at} ({"" if end > span.at else "back "}to {end}{", no mask" if span.why == EMPTY else ""})'


def _first_given(records: Sequence[FrameRecord], object_id: int) -> int | None:
    return next((record.frame_id for record in records if record.given and record.areas.get(object_id)), None)


def _spans_of(records: Sequence[FrameRecord], object_id: int, first: int, *, since: int) -> Iterator[LostSpan]:
    lost, ended = [], False
    for record in [*records, None]:
        if record is not None and record.given and record.frame_id >= first:
            ended = not record.areas.get(object_id) and record.sure.get(object_id) == 1
        is_lost = record is not None and record.frame_id >= since and not ended and _is_lost(record, object_id)
        if lost and (not is_lost or record.frame_id > lost[-1].frame_id + 1):
            if len(lost) >= LOST_FRAMES:
                yield _span(lost, object_id, backwards=lost[0].frame_id < first)
            lost = []
        if is_lost:
            lost.append(record)


def _span(lost: Sequence[FrameRecord], object_id: int, *, backwards: bool) -> LostSpan:
    first, last = lost[0].frame_id, lost[-1].frame_id
    why = UNSURE if any(record.areas.get(object_id) for record in lost) else EMPTY
    return LostSpan(object_id, first, last, last if backwards else first, why)


def _is_lost(record: FrameRecord, object_id: int) -> bool:
    sure = record.sure.get(object_id)
    return sure is None or sure < SURE
