"""Whether results bear the ids of the ground truth. Fed frame by frame by whoever scores several objects."""

from collections.abc import Iterable

import numpy as np

CLEARLY = 0.3  # of J: by how much another id must fit better before it is said


class IdentityCheck:
    """Looks at each object once, on the first frame given that shows it in the ground truth.

    Attributes:
        overlaps: object of the ground truth -> {id of the prediction: J of the two}, ids without overlap left out.
    """

    def __init__(self) -> None:
        self.overlaps: dict[int, dict[int, float]] = {}

    def look(self, pred: np.ndarray, gt: np.ndarray, objects: Iterable[int]) -> None:
        """Take a frame.

        Args:
            pred: (H, W) uint8 ids, 0 the background.
            gt: likewise.
            objects: ids of the ground truth that may be looked at on this frame.
        """
        new = [label for label in objects if label not in self.overlaps and (gt == label).any()]
        if not new:
            return
        areas = np.bincount(pred.ravel(), minlength=256)
        for label in new:
            inside = gt == label
            common = np.bincount(pred[inside], minlength=256)
            union = np.count_nonzero(inside) + areas - common
            self.overlaps[label] = {int(i): float(common[i] / union[i]) for i in np.flatnonzero(common) if i}

    @property
    def exchanged(self) -> dict[int, int]:
        """Object of the ground truth -> the id of the prediction that lies there in place of its own.

        Only of objects that have each other's ids: a mask that runs over to a neighbour is a mistake and no exchange.
        """
        best = {label: max(found, key=found.__getitem__) for label, found in self.overlaps.items() if found}
        pairs = {label: other for label, other in sorted(best.items())
                 if self.overlaps[label][other] > self.overlaps[label].get(label, 0) + CLEARLY}
        while pairs.keys() != {*pairs.values()} or len({*pairs.values()}) < len(pairs):
            others = list(pairs.values())
            pairs = {label: other for label, other in pairs.items()
                     if label in others and other in pairs and others.count(other) == 1}
        return pairs

    @property
    def sentence(self) -> str:
        """What to tell of :attr:`exchanged`; empty where there is nothing to tell."""
        pairs = [f'{label} <-> {other} (J {self.overlaps[label][other]:.2f} in place of '
                 f'{self.overlaps[label].get(label, 0):.2f})' for label, other in self.exchanged.items()]
        return '' if not pairs else (
            'seems to have its ids exchanged: J would be higher with ground truth <-> result '
            f'{", ".join(pairs)}, on the first frame that counts of each; it was scored by ids as they are: renumber '
            'the masks if they mean the same objects')
