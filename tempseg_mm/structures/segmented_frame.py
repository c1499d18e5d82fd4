"""One segmented frame on its way from the network through refinement to scores, files and pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np


@dataclass
class SegmentedFrame:
    """A frame at its original size and what is known of it. The only kind there is: of data sets, videos and streams.

    Attributes:
        sequence: name of the sequence.
        frame_id: index within the source, from 0.
        file_name: stem of the frame's file, e.g. ``'00007'``: saved masks keep it.
        image: (H, W, 3) uint8 RGB.
        object_ids: K ids, 1 to 255, ascending; ``(1,)`` where a data set does not tell objects apart.
        num_frames: length of the sequence; ``None`` where nobody knows.
        probabilities: (K, H, W) float32 in [0, 1], their sum at most 1. Refinement replaces them; everything after
            reads them. ``None`` where the frame was segmented by an earlier run or before the walk turned round.
        labels: (H, W) uint8 object ids, 0 the background: what is saved. ``None`` until they are decided.
        given: whether ``labels`` are the masks that were given.
        going_on: ids of the objects for which the network answers all the same, where the given masks have background:
            they do not mention them, and do not end them by that.
        answered: whether the network segmented the frame. It did so on a given frame too, except the first, where
            ``probabilities`` are 0 or 1 as the given mask has it.
        gt_labels: (H, W) uint8, the annotation; ``None`` where there is none.
        gt_void: (H, W) bool: where the annotation does not say, and nothing is scored; ``None``: nowhere.
        snapshot: where the walk can be resumed after this frame; ``None`` where that was known before.
    """
    sequence: str
    frame_id: int
    file_name: str
    image: np.ndarray
    object_ids: tuple = (1,)
    num_frames: int | None = None
    probabilities: np.ndarray | None = None
    labels: np.ndarray | None = None
    given: bool = False
    going_on: tuple = ()
    answered: bool = False
    gt_labels: np.ndarray | None = None
    gt_void: np.ndarray | None = None
    snapshot: Any = field(default=None, repr=False)

    @property
    def answer(self) -> np.ndarray:
        """(H, W) uint8: what the network says, also on a frame whose mask was given. This is what is scored."""
        return labels_of(self.probabilities, self.object_ids)

    def decide(self) -> None:
        """Set :attr:`labels`: the given masks, or the network's answer as refinement left it. Call it once."""
        if not self.given:
            self.labels = self.answer
        elif self.going_on:
            answer = self.answer
            self.labels = np.where((self.labels == 0) & np.isin(answer, self.going_on), answer, self.labels)


def labels_of(probabilities: np.ndarray, object_ids: Sequence[int]) -> np.ndarray:
    """Merged probabilities -> the most probable object of each pixel.

    Args:
        probabilities: (K, H, W) in [0, 1] whose sum is at most 1: the rest is background.
        object_ids: K ids, 1 to 255.

    Returns:
        (H, W) uint8: 0 where no object is more probable than the background; one object needs more than one half.
    """
    if len(object_ids) == 1:
        return np.where(probabilities[0] > 0.5, object_ids[0], 0).astype(np.uint8)
    wins = probabilities.max(0) > 1 - probabilities.sum(0)
    return np.where(wins, np.asarray(object_ids)[probabilities.argmax(0)], 0).astype(np.uint8)


def one_hot(labels: np.ndarray, object_ids: Sequence[int]) -> np.ndarray:
    """Labels -> (K, H, W) float32, 1 where the object is."""
    return np.stack([labels == object_id for object_id in object_ids]).astype(np.float32)


def ids_of(labels: np.ndarray) -> list[int]:
    """The ids, without 0, that labels, (H, W) uint8, hold, ascending."""
    top = int(labels.max())
    if np.count_nonzero(labels) == np.count_nonzero(labels == top):  # one object, as a rule, and many times as fast
        return [top] if top else []
    counts = cv2.calcHist([np.ascontiguousarray(labels)], [0], None, [256], [0, 256])  # 3 times as fast as bincount
    return (np.flatnonzero(counts[1:]) + 1).tolist()
