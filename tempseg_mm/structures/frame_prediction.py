"""One segmented frame on its way from the propagator through refinement to metric, export and pictures."""

from dataclasses import dataclass

import numpy as np


@dataclass
class FramePrediction:
    """A frame at its original size and what is known of it.

    Attributes:
        sequence: name of the sequence.
        frame_id: index within the sequence, from 0.
        num_frames: length of the sequence.
        file_name: stem of the frame's file, e.g. ``'00007'``: exported masks keep it.
        image: (H, W, 3) uint8 RGB.
        probability: (H, W) float32 in [0, 1]. Refinement replaces it; everything after reads it.
        given: whether the mask of this frame was given (then ``probability`` is that mask).
        gt_mask: (H, W) uint8, 0 or 1; ``None`` where the frame is not annotated.
    """
    sequence: str
    frame_id: int
    num_frames: int
    file_name: str
    image: np.ndarray
    probability: np.ndarray
    given: bool = False
    gt_mask: np.ndarray | None = None

    @property
    def mask(self) -> np.ndarray:
        """(H, W) uint8, 1 where the probability is above one half."""
        return (self.probability > 0.5).astype(np.uint8)
