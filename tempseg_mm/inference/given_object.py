"""One object of the given masks of a sequence: what online fine-tuning learns from."""

import numpy as np

from tempseg_mm.sources.given_sequence import GivenSequence

from .views import remembered_area


class GivenObject:
    """One object of the given masks: what there is to learn from.

    Args:
        sequence: its name decides the random draws, so what is drawn for an object does not depend on its id.
        object_id: 1 to 255.
    """

    def __init__(self, sequence: GivenSequence, object_id: int) -> None:
        self.sequence, self.object_id, self.name = sequence, object_id, sequence.name

    @property
    def frame_ids(self) -> list[int]:
        """Given frames whose masks mention the object: those that show it, or tell that it is not there."""
        return [i for i in sorted(self.sequence.labels) if self.object_id in self.sequence.mentioned(i)]

    def frame(self, i: int) -> np.ndarray:
        """(H, W, 3) uint8 RGB."""
        return self.sequence.given_image(i)

    def mask(self, i: int) -> np.ndarray:
        """(H, W) uint8, 1 where the object is."""
        return (self.sequence.labels[i] == self.object_id).astype(np.uint8)

    def shown(self, i: int) -> float:
        """Share of the object that its mask shows, in [0, 1], by the area that it is remembered by."""
        areas = self.sequence.areas(self.object_id)
        return areas.get(i, 0.0) / max(remembered_area(areas, i), 1.0)
