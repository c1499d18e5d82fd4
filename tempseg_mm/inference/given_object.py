"""One object of the given masks of a sequence, from which online fine-tuning learns."""

import numpy as np

from tempseg_mm.sources.given_sequence import GivenSequence

from .object_mask import remembered_area


class GivenObject:
    """The frames and masks that show one object, or its absence.

    Args:
        sequence: its name determines the random draws, so the draws for an object do not depend on its id.
        object_id: 1 to 255.
        name: replaces the name of the sequence, for other random draws.
    """

    def __init__(self, sequence: GivenSequence, object_id: int, name: str = '') -> None:
        self.sequence, self.object_id, self.name = sequence, object_id, name or sequence.name

    @property
    def frame_ids(self) -> list[int]:
        """Given frames whose masks mention the object: they show it, or say that it is absent."""
        return [i for i in sorted(self.sequence.labels) if self.object_id in self.sequence.mentioned(i)]

    def frame(self, i: int) -> np.ndarray:
        """Return a given frame, (H, W, 3) uint8 RGB."""
        return self.sequence.given_image(i)

    def mask(self, i: int) -> np.ndarray:
        """Return the mask of the object in a given frame, (H, W) uint8, 1 where the object is."""
        return (self.sequence.labels[i] == self.object_id).astype(np.uint8)

    def void(self, i: int) -> np.ndarray | None:
        """Return where nothing is known of the object, (H, W) uint8 0/1; ``None``: a given mask tells all of it."""
        return None

    @property
    def areas(self) -> dict[int, int]:
        """Frame number -> area of the object in pixels, for each mask that shows it."""
        return self.sequence.areas(self.object_id)

    def shown(self, i: int) -> float:
        """Return the share of the object that a mask shows, in [0, 1], relative to its remembered area."""
        areas = self.areas
        return areas.get(i, 0.0) / max(remembered_area(areas, i), 1.0)
