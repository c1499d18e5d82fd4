"""Checks, when several objects are scored, whether predictions use the object ids of the ground truth."""

from collections.abc import Iterable

import numpy as np

CLEARLY = 0.3  # least difference in J by which another id must fit better to be reported


class IdentityCheck:
    """Compares the ids of each object once, on the first given frame that shows the object in the ground truth.

    Attributes:
        overlaps: object of the ground truth -> {id of the prediction: J of the two}; ids without overlap are left out.
    """

    def __init__(self) -> None:
        self.overlaps: dict[int, dict[int, float]] = {}

    def look(self, pred: np.ndarray, gt: np.ndarray, objects: Iterable[int]) -> None:
        """Compare the ids on one frame.

        Args:
            pred, gt: (H, W) uint8 ids, 0 for background.
            objects: ids of the ground truth that may be compared on this frame.
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
        """Object of the ground truth -> id of the prediction in its place, for objects that exchanged their ids.

        A mask that only covers a neighbour is an error of the prediction, not an exchange.
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
        """Sentence that reports :attr:`exchanged`; empty if nothing was exchanged."""
        pairs = [f'{label} <-> {other} (J {self.overlaps[label][other]:.2f} instead of '
                 f'{self.overlaps[label].get(label, 0):.2f})' for label, other in self.exchanged.items()]
        return '' if not pairs else (
            'seems to have its ids exchanged: J would be higher with ground truth <-> result '
            f'{", ".join(pairs)}, measured on the first scored frame of each object. Scores use the ids as they are; '
            'renumber the masks if they show the same objects')
