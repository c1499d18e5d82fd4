"""Motion of the layers of a synthesised clip: a random path of similarities, and a smooth bending."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

JITTER = 0.1  # size of the jitter that is drawn for every frame, as a share of the velocities' ranges
NODES = 4  # nodes of the bending's coarse field along each axis
STEEPEST = 0.6  # largest slope of the bending; below 1, so that the map never folds
INVERSE_STEPS = 10  # each step multiplies the error by at most STEEPEST


@dataclass(frozen=True)
class LayerMotion:
    """Ranges of the affine motion of a layer about one of its points: its first pose, and its change from frame to
    frame.

    Attributes:
        degrees: rotation in the first frame is drawn from [-degrees, degrees].
        scale: smallest and largest zoom in the first frame.
        shift: largest displacement in the first frame, in widths and heights of the frame.
        turn: largest rotation from frame to frame, degrees.
        zoom: largest change of size from frame to frame; 0.04 means a factor of 1/1.04 to 1.04.
        speed: largest displacement from frame to frame along x and y, in units of the layer's size.

    Raises:
        ValueError: for a negative value, or a scale that does not satisfy 0 < smallest <= largest.
    """
    degrees: float
    scale: Sequence
    shift: float
    turn: float
    zoom: float
    speed: float

    def __post_init__(self) -> None:
        if len(self.scale) != 2 or not 0 < self.scale[0] <= self.scale[1]:
            raise ValueError('scale of a motion must be (smallest, largest) with 0 < smallest <= largest, got '
                             f'{self.scale!r}')
        for name in ('degrees', 'shift', 'turn', 'zoom', 'speed'):
            if getattr(self, name) < 0:
                raise ValueError(f'{name} of a motion is the end of a range and must be at least 0, got '
                                 f'{getattr(self, name)!r}')

    def draw(self, num_frames: int, *, centre: np.ndarray, size: np.ndarray, frame_size: np.ndarray) -> list:
        """Draw one random path.

        Args:
            num_frames: T.
            centre: (x, y) of the point about which the layer turns; it stays inside the frame.
            size: (2,), size of the layer in pixels, the unit of ``speed``.
            frame_size: (W, H) in pixels.

        Returns:
            T arrays (2, 3) float64, from positions (x, y, 1) in the drawn frame to positions in frame t.
        """
        last = np.asarray(frame_size) - 1
        reach = self.shift * np.asarray(frame_size)
        first = np.random.uniform(np.maximum(centre - reach, 0), np.minimum(centre + reach, last))
        pose = [np.random.uniform(-self.degrees, self.degrees), np.random.uniform(*np.log(self.scale)), *first]
        ranges = np.array([self.turn, np.log1p(self.zoom), *self.speed * size])
        velocity = np.random.uniform(-ranges, ranges)
        steps = np.arange(num_frames)[:, None]
        jitter = np.where(steps > 0, JITTER * np.random.uniform(-ranges, ranges, (num_frames, 4)), 0)
        path = pose + steps * velocity + jitter
        path[:, 2:] = np.clip(path[:, 2:], 0, last)
        return [_similarity(*row, centre) for row in path]


def _similarity(degrees: float, log_zoom: float, x: float, y: float, centre: np.ndarray) -> np.ndarray:
    """Return the (2, 3) map that rotates and zooms about ``centre`` and moves ``centre`` to (x, y)."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = np.exp(log_zoom) * turn
    return np.column_stack([linear, np.array([x, y]) - linear @ centre])


class Bending:
    """A smooth random displacement φ of the plane around a box; an ``amount`` s gives the map q -> q + s φ(q).

    φ is flat enough that the map is invertible for every s in [-1, 1]: its slopes, measured in units of the box, sum to
    at most 0.6. A strength above 0.1 therefore has little more effect.

    Args:
        box: (left, top, width, height) in pixels. φ varies over the box and a margin of half its size on every side.
        strength: largest displacement, in widths and heights of the box.
    """

    def __init__(self, box: tuple, strength: float) -> None:
        left, top, width, height = box
        coarse = np.random.uniform(-strength, strength, (NODES, NODES, 2)).astype(np.float32)
        # Resized before the look-up, because cv2.remap rounds positions to 1/32 of a cell.
        field = cv2.resize(coarse, (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC)
        along, down = width * np.abs(np.diff(field, axis=1)), height * np.abs(np.diff(field, axis=0))
        field *= (width, height) / np.maximum(1, (along[1:] + down[:, 1:]).max() / STEEPEST)
        self._field = field.astype(np.float32)
        self._origin = np.array([left - width / 2, top - height / 2], np.float32)
        self.reach = np.abs(self._field).max(axis=(0, 1))  # largest displacement along x and y, pixels

    def displacement(self, points: np.ndarray) -> np.ndarray:
        """Return φ at (h, w, 2) float32 positions (x, y); (h, w, 2) float32, pixels."""
        return cv2.remap(self._field, points - self._origin, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def inverse(self, targets: np.ndarray, amount: float, start: np.ndarray) -> np.ndarray:
        """Solve q + s φ(q) = target for q by iterating q <- target - s φ(q); accurate to 0.05 pixels.

        Args:
            targets: (h, w, 2) float32 positions.
            amount: s, in [-1, 1].
            start: (h, w, 2) float32, a first guess.

        Returns:
            (h, w, 2) float32.
        """
        points = start
        for _ in range(INVERSE_STEPS):
            points = targets - amount * self.displacement(points)
        return points
