"""One segmented frame on its way from the network through refinement to scores, files and pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

MAYBE = 0.05  # probability above which a pixel may belong to an object
SURE = 0.7  # least share of an object's possible pixels that its mask holds while all is well; see docs/notices.md


@dataclass
class SegmentedFrame:
    """A frame at its original size and all that is known of it. Data sets, videos and streams all use this class.

    Attributes:
        sequence: name of the sequence.
        frame_id: index within the source, from 0.
        file_name: stem of the frame's file, e.g. ``'00007'``; the saved mask has the same stem.
        image: (H, W, 3) uint8 RGB.
        object_ids: K ids, 1 to 255, ascending; ``(1,)`` if the data set does not tell objects apart.
        num_frames: length of the sequence; ``None`` if it is unknown.
        probabilities: (K, H, W) float32 in [0, 1] with a sum of at most 1. Refinement replaces them; all later stages
            read them. ``None`` if the frame was segmented by an earlier run or before the walk turned round.
        unrefined: the probabilities before refinement, which tell how sure the network was; ``None``: not refined.
        labels: (H, W) uint8 object ids, 0 the background: the mask that is saved. ``None`` before :meth:`decide`
            unless the masks were given.
        given: True if ``labels`` holds masks that were given.
        going_on: ids of the objects that the given masks do not mention. The network's answer for them still counts
            where the given masks have background.
        answered: True if the network segmented the frame. This includes given frames except the first one, whose
            ``probabilities`` are 0 or 1 as in the given mask.
        gt_labels: (H, W) uint8, the annotation; ``None`` if there is none.
        gt_void: (H, W) bool: True where the annotation is undefined and nothing is scored; ``None``: nowhere.
        snapshot: state from which the walk can be resumed after this frame; ``None`` if an earlier run or the backward
            walk already segmented the frame.
    """
    sequence: str
    frame_id: int
    file_name: str
    image: np.ndarray
    object_ids: tuple = (1,)
    num_frames: int | None = None
    probabilities: np.ndarray | None = None
    unrefined: np.ndarray | None = None
    labels: np.ndarray | None = None
    given: bool = False
    going_on: tuple = ()
    answered: bool = False
    gt_labels: np.ndarray | None = None
    gt_void: np.ndarray | None = None
    snapshot: Any = field(default=None, repr=False)

    @property
    def network_probabilities(self) -> np.ndarray:
        """The probabilities as the network gave them. A refinement such as the CRF makes every pixel look certain."""
        return self.probabilities if self.unrefined is None else self.unrefined

    @property
    def answer(self) -> np.ndarray:
        """The network's own answer, (H, W) uint8, also on a frame with a given mask. This is what is scored."""
        return labels_of(self.probabilities, self.object_ids)

    def decide(self) -> None:
        """Set :attr:`labels`: the given masks and the answer for :attr:`going_on`, or else the answer. Call once."""
        if not self.given:
            self.labels = self.answer
        elif self.going_on:
            answer = self.answer
            self.labels = np.where((self.labels == 0) & np.isin(answer, self.going_on), answer, self.labels)


def labels_of(probabilities: np.ndarray, object_ids: Sequence[int]) -> np.ndarray:
    """Return the most probable object of each pixel.

    Args:
        probabilities: (K, H, W) in [0, 1] with a sum of at most 1; the rest is background.
        object_ids: K ids, 1 to 255.

    Returns:
        (H, W) uint8: 0 where no object is more probable than the background. A single object needs more than one half.
    """
    if len(object_ids) == 1:
        return np.where(probabilities[0] > 0.5, object_ids[0], 0).astype(np.uint8)
    wins = probabilities.max(0) > 1 - probabilities.sum(0)
    return np.where(wins, np.asarray(object_ids)[probabilities.argmax(0)], 0).astype(np.uint8)


def sure_share(mask: np.ndarray, probability: np.ndarray) -> float | None:
    """Return how much of an object's possible pixels its mask holds, in [0, 1].

    Args:
        mask: (H, W), nonzero or True where the object is.
        probability: (H, W) by the network; pixels above :data:`MAYBE` are possible.

    Returns:
        ``None`` if no pixel is possible.
    """
    possible = np.count_nonzero(probability > MAYBE)
    return float(min(1.0, np.count_nonzero(mask) / possible)) if possible else None


def one_hot(labels: np.ndarray, object_ids: Sequence[int]) -> np.ndarray:
    """Return (K, H, W) float32: 1 where ``labels`` has the object, else 0."""
    return np.stack([labels == object_id for object_id in object_ids]).astype(np.float32)


def ids_of(labels: np.ndarray) -> list[int]:
    """Return the ids in ``labels``, (H, W) uint8, ascending and without 0."""
    top = int(labels.max())
    if np.count_nonzero(labels) == np.count_nonzero(labels == top):  # one object: the usual case, and far faster
        return [top] if top else []
    counts = cv2.calcHist([np.ascontiguousarray(labels)], [0], None, [256], [0, 256])  # 3 times faster than bincount
    return (np.flatnonzero(counts[1:]) + 1).tolist()
