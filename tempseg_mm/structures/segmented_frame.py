"""A frame with the masks of several objects, on its way from the network to refinement, files and pictures."""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class SegmentedFrame:
    """A frame and what is known of it.

    Attributes:
        frame_id: index within the source, from 0.
        file_name: stem for its mask file, e.g. ``'00007'``.
        image: (H, W, 3) uint8 RGB at the original size; at another where nobody looks at the pixels.
        labels: (H, W) uint8, object ids; ``None`` until they are decided.
        probabilities: (K, H, W) float32, merged, see ``ObjectPropagator``; ``None`` where the labels were given or are
            read back from a file.
        given: whether the labels were given.
        masks: object id -> (1, 1, h, w), what the next frame starts from; ``None`` where the labels are read back.
    """
    frame_id: int
    file_name: str
    image: np.ndarray
    labels: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    given: bool = False
    masks: dict | None = field(default=None, repr=False)
