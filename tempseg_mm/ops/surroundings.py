"""Tells the surroundings of an object by their motion, so that the object does not take along what it passes."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

LEAST, ENOUGH = 300, 500  # pixels without which a motion is not estimated, and from about which it is
RIM = 4  # pixels around the mask whose flow is a mixture of both motions
BLUR = (5, 5)  # pixels over which single errors of the flow are averaged


@dataclass(frozen=True)
class Surroundings:
    """Keeps, for each pixel of a window, a belief in [0, 1] that it shows the surroundings and not the object.

    An affine motion is fitted to the flow of the object, another to the flow of what is around it (least median of
    squares). A pixel is still if it moves with the surroundings::

        still   = |flow - surroundings' motion| < ratio * |flow - object's motion|
        belief += rise * (still - belief)    outside the mask
        belief += fall * (still - belief)    everywhere, where still < belief

    and its belief goes with it along the flow. Where the two motions differ by less than ``apart``, nothing is learnt.
    Pixels with a belief above ``bound`` are not the object. In the mask the belief never rises: a leg that stands is
    not cut off, but a flower pot that the object passes does not become a part of it. A mask without enough pixels, or
    an object that does not move against its surroundings, tells nothing. This is not in the paper. What it gains is in
    docs/ablations.md, "What moves with the background".

    Args:
        ratio: how much closer to the surroundings' motion than to the object's the flow must be, in (0, 1].
        apart: smallest difference of the two motions, in object sizes (the square root of the object's area), >= 0.
        rise: part of the distance to 1 by which the belief rises in a frame, in (0, 1].
        fall: part of the distance to 0 by which it falls, in (0, 1].
        bound: belief above which a pixel does not belong to the object, in (0, 1].

    Raises:
        ValueError: for a setting out of range.
    """
    ratio: float = 0.25
    apart: float = 0.01
    rise: float = 0.3
    fall: float = 0.7
    bound: float = 0.6

    def __post_init__(self) -> None:
        for name in ('ratio', 'rise', 'fall', 'bound'):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f'{name} of surroundings must be above 0 and at most 1, got {getattr(self, name)!r}')
        if not self.apart >= 0:
            raise ValueError(f'apart of surroundings is a distance in object sizes, at least 0, got {self.apart!r}')

    def belief(self, before: Tensor, mask: np.ndarray, positions: np.ndarray, landing: np.ndarray, *,
               frame_size: tuple, size: float) -> Tensor:
        """Compute the belief after one more frame, for each pixel at its place before the motion.

        Args:
            before: (1, 1, h, w) float32, the belief until now.
            mask: (h, w) float32 in [0, 1], the object in the window.
            positions: (h, w, 2) float32, where the pixels of the window are in the frame, (x, y).
            landing: (h, w, 2) float32, where they are in the next frame.
            frame_size: (H, W) of the frame.
            size: square root of the object's area, pixels of the frame.

        Returns:
            (1, 1, h, w) float32 on the device of ``before``.
        """
        inside = ((positions >= 0) & (positions < (frame_size[1], frame_size[0]))).all(-1)
        distance = cv2.distanceTransform((mask <= 0.5).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
        around = _motion(positions, landing, inside & (distance > RIM) & (mask < 0.1))
        own = _motion(positions, landing, inside & (mask > 0.9))
        if around is None or own is None:
            return before
        around, own = cv2.transform(positions, around), cv2.transform(positions, own)
        still = _length(landing - around) < self.ratio * _length(landing - own)
        told = _length(own - around) > self.apart * size
        still = cv2.blur((still & told).astype(np.float32), BLUR)
        told, still, outside = (torch.from_numpy(part)[None, None].to(before.device)
                                for part in (told, still, mask <= 0.5))
        rate = torch.where(still > before, self.rise * outside, self.fall) * told
        return before + rate * (still - before)


def _motion(positions: np.ndarray, landing: np.ndarray, chosen: np.ndarray) -> np.ndarray | None:
    """Fit an affine motion, (2, 3), to the flow of chosen pixels; ``None`` if they do not tell one."""
    found = np.flatnonzero(chosen)
    if len(found) < LEAST:
        return None
    found = found[::max(1, len(found) // ENOUGH)]
    return cv2.estimateAffine2D(positions.reshape(-1, 2)[found], landing.reshape(-1, 2)[found], method=cv2.LMEDS)[0]


def _length(vectors: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vectors, axis=-1)
