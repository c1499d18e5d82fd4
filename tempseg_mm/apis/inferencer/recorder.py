"""Records figures of each frame (area, confidence, change, and J with ground truth) and derives notices from them."""

from collections.abc import Mapping, Sequence

import numpy as np

from tempseg_mm.evaluation.functional.region import region_similarity
from tempseg_mm.sources.given_sequence import GivenSequence
from tempseg_mm.structures import FrameRecord, SegmentedFrame
from tempseg_mm.structures.segmented_frame import sure_share

from .lost_spans import LostSpan, lost_spans, sentences_on
from .truth_scores import TruthScores


class FrameRecorder:
    """Takes the frames in order and keeps a record of each.

    An object has a score on every frame with ground truth, except the first frame for which its mask was given. On
    other given frames, the score is that of the network's own answer, as in ``tempseg-test``.

    Args:
        sequence: sequence with the given masks.

    Attributes:
        records: records of the frames so far.
    """

    def __init__(self, sequence: GivenSequence) -> None:
        self.object_ids = sequence.object_ids
        self.records: list[FrameRecord] = []
        first_given = {i: min(frame_id for frame_id, labels in sequence.labels.items() if (labels == i).any())
                       for i in self.object_ids}
        self._before: np.ndarray | None = None
        self._truth = TruthScores(first_given)
        self._truth_notices: list[str] = []

    def answer(self, frame: SegmentedFrame) -> dict:
        """Score the network's own answer on a given frame, while its probabilities are available."""
        return self._truth.of(frame, frame.answer) if frame.given and frame.answered else {}

    def add(self, frame: SegmentedFrame, *, confidences: Mapping[int, float | None], sure: Mapping[int, float | None],
            answer: Mapping[int, float]) -> FrameRecord:
        """Record a frame whose labels are final.

        Args:
            frame: the next frame.
            confidences: confidence per object, see :func:`confidences_of`.
            sure: sureness per object, see :func:`sure_of`.
            answer: scores from :meth:`answer`.
        """
        record = record_of(frame, self._before, self.object_ids, confidences=confidences, sure=sure,
                           scores=answer if frame.given else self._truth.of(frame, frame.labels))
        self._truth.look(frame)
        self.records.append(record)
        self._before = frame.labels
        return record

    def settle(self) -> None:
        """Decide which scores of :attr:`records` are valid; call it after the last frame."""
        self._truth_notices = self._truth.settle(self.records)

    @property
    def mean_j(self) -> dict:
        """Object id -> mean J over its scored frames, without the last frame of the sequence, as in DAVIS 2016.

        An object without scored frames has no entry.
        """
        scores = {i: [record.scores[i] for record in self.records[:-1] if i in record.scores] for i in self.object_ids}
        return {i: float(np.mean(values)) for i, values in scores.items() if values}

    @property
    def notices(self) -> list[str]:
        """Sentences about the ground truth, and one for each object that was probably lost."""
        return [*self._truth_notices, *sentences_on(self.lost)]

    @property
    def lost(self) -> list[LostSpan]:
        """Spans in which objects were probably lost."""
        return lost_spans(self.records)


def record_of(frame: SegmentedFrame, before: np.ndarray | None, object_ids: Sequence[int], *,
              confidences: Mapping[int, float | None], sure: Mapping[int, float | None],
              scores: Mapping[int, float] | None = None) -> FrameRecord:
    """Return the figures of a frame whose labels are final.

    Args:
        frame: the frame.
        before: (H, W) uint8 labels of the previous frame; ``None`` if there is none.
        object_ids: ids of the objects to record.
        confidences: confidence per object, see :func:`confidences_of`.
        sure: sureness per object, see :func:`sure_of`.
        scores: J per object.
    """
    areas = np.bincount(frame.labels.ravel(), minlength=256)
    return FrameRecord(
        frame_id=frame.frame_id, file_name=frame.file_name, given=frame.given,
        areas={i: int(areas[i]) for i in object_ids},
        confidences={i: confidences.get(i) for i in object_ids}, sure={i: sure.get(i) for i in object_ids},
        changes={i: None if before is None else 1 - _overlap(frame.labels, before, i) for i in object_ids},
        scores=dict(scores or {}))


def confidences_of(frame: SegmentedFrame) -> dict:
    """Return the network's mean probability in each object's mask: 1 if the mask was given, ``None`` if it is empty."""
    found = {}
    for k, object_id in enumerate(frame.object_ids):
        mask = frame.labels == object_id
        if not mask.any():
            found[object_id] = None
        else:
            found[object_id] = 1.0 if _is_given(frame, object_id) else float(
                frame.network_probabilities[k][mask].mean())
    return found


def sure_of(frame: SegmentedFrame) -> dict:
    """Return how much of each object's possible pixels, by the network, its mask holds, in [0, 1].

    It is 1 if the mask was given, ``None`` if no pixel may belong to the object.
    """
    return {object_id: 1.0 if _is_given(frame, object_id) else sure_share(
        frame.labels == object_id, frame.network_probabilities[k]) for k, object_id in enumerate(frame.object_ids)}


def _is_given(frame: SegmentedFrame, object_id: int) -> bool:
    return frame.given and object_id not in frame.going_on


def _overlap(labels: np.ndarray, others: np.ndarray, object_id: int) -> float:
    return float(region_similarity(labels == object_id, others == object_id))
