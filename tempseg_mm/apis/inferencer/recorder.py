"""Figures of frames as they go by: area, confidence, change, and J where there is ground truth."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tempseg_mm.evaluation.functional.region import region_similarity
from tempseg_mm.sources.image_files import IMAGE_SUFFIXES
from tempseg_mm.sources.mask_files import read_label_mask
from tempseg_mm.structures import FrameRecord
from tempseg_mm.structures.segmented_frame import SegmentedFrame


class GroundTruth:
    """Masks to score against.

    Args:
        masks: a folder whose files have the names of the frames, not all of which need one; a list of files or arrays,
            the first for the first frame; or ``{frame number: file or array}``. Values as in ``read_label_mask``.
        start: number of the first frame.

    Raises:
        FileNotFoundError: if there is no such folder, or no mask in it.
    """

    def __init__(self, masks: str | os.PathLike | Sequence | Mapping, *, start: int = 0) -> None:
        if isinstance(masks, Mapping):
            self._masks = dict(masks)
        elif isinstance(masks, (str, os.PathLike)):
            folder = Path(masks)
            found = folder.iterdir() if folder.is_dir() else ()
            files = [path for path in found if path.suffix.lower() in IMAGE_SUFFIXES]
            if not files:
                raise FileNotFoundError(f'the ground truth is a folder with a mask for each frame; there is none in '
                                        f'{folder}')
            self._masks = {path.stem: path for path in files}
        else:
            self._masks = dict(enumerate(masks, start))

    def labels(self, frame: SegmentedFrame) -> np.ndarray | None:
        """(H, W) uint8 object ids of a frame; ``None`` where there are none.

        Raises:
            OSError: if the file cannot be read.
            ValueError: if the mask is of another size than the frame.
        """
        mask = self._masks.get(frame.frame_id, self._masks.get(frame.file_name))
        if mask is None:
            return None
        labels = read_label_mask(mask)
        if labels.shape != frame.labels.shape:
            raise ValueError(f'the ground truth of frame {frame.file_name} is {labels.shape}, the frame '
                             f'{frame.labels.shape}; they must agree')
        return labels


class FrameRecorder:
    """Takes the frames in order and keeps a record of each.

    Args:
        object_ids: of the objects.
        ground_truth: to score against, where there is any. What was given is not scored.

    Attributes:
        records: of the frames so far.
    """

    def __init__(self, object_ids: Sequence[int], ground_truth: GroundTruth | None = None) -> None:
        self.object_ids = tuple(object_ids)
        self.ground_truth = ground_truth
        self.records: list = []
        self._before: np.ndarray | None = None

    def add(self, frame: SegmentedFrame, confidences: Mapping[int, float | None]) -> FrameRecord:
        """Record a frame whose labels are decided."""
        truth = None if self.ground_truth is None or frame.given else self.ground_truth.labels(frame)
        areas = np.bincount(frame.labels.ravel(), minlength=256)
        record = FrameRecord(
            frame_id=frame.frame_id, file_name=frame.file_name, given=frame.given,
            areas={i: int(areas[i]) for i in self.object_ids},
            confidences={i: confidences[i] for i in self.object_ids},
            changes={i: None if self._before is None else 1 - _overlap(frame.labels, self._before, i)
                     for i in self.object_ids},
            scores={} if truth is None else {i: _overlap(frame.labels, truth, i) for i in self.object_ids})
        self.records.append(record)
        self._before = frame.labels
        return record

    @property
    def mean_j(self) -> dict:
        """Object id -> mean J over the frames that have one; the last frame counts too, unlike in DAVIS."""
        scored = [record.scores for record in self.records if record.scores]
        return {i: float(np.mean([scores[i] for scores in scored])) for i in self.object_ids} if scored else {}


def confidences_of(frame: SegmentedFrame, object_ids: Sequence[int]) -> dict:
    """Mean probability over each object's mask; 1 where it was given, ``None`` where it is empty."""
    found = {}
    for k, object_id in enumerate(object_ids):
        mask = frame.labels == object_id
        if not mask.any():
            found[object_id] = None
        else:
            found[object_id] = 1.0 if frame.probabilities is None else float(frame.probabilities[k][mask].mean())
    return found


def _overlap(labels: np.ndarray, others: np.ndarray, object_id: int) -> float:
    return float(region_similarity(labels == object_id, others == object_id))
