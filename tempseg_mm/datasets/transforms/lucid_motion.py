"""How the layers of a dreamt clip move: a drawn path of similarities, and a smooth bending. Called by ``LucidClip``."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

JITTER = 0.1  # of the velocities' ranges, drawn again for every frame
NODES = 4  # of the bending's coarse field, each way
STEEPEST = 0.6  # slope of the bending, below 1 so that it never folds
INVERSE_STEPS = 10  # each leaves at most STEEPEST of the error


@dataclass(frozen=True)
class LayerMotion:
    """Ranges of the affine motion of a layer about a point of it: where it is at first, and how it goes on.

    Attributes:
        degrees: turn of the first frame is drawn from [-degrees, degrees].
        scale: smallest and largest zoom of the first frame.
        shift: displacement of the first frame, in widths and heights of the frame.
        turn: degrees by which it turns from frame to frame, at most.
        zoom: by how much its size changes from frame to frame, e.g. 0.04 for 1/1.04 to 1.04.
        speed: displacement from frame to frame along x and y, in units of the layer's size.

    Raises:
        ValueError: for a negative value, or a scale that is not 0 < smallest <= largest.
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
                raise ValueError(f'{name} of a motion is the end of a range, at least 0, got {getattr(self, name)!r}')

    def draw(self, num_frames: int, *, centre: np.ndarray, size: np.ndarray, frame_size: np.ndarray) -> list:
        """One random path.

        Args:
            num_frames: T.
            centre: (x, y) of the point that is turned about; it stays inside the frame.
            size: (2,), of the layer, in pixels: the unit of ``speed``.
            frame_size: (W, H).

        Returns:
            T arrays (2, 3) float64: from positions (x, y, 1) in the drawn frame to those in frame t.
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
    """(2, 3): turns and zooms about ``centre``, which goes to (x, y)."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = np.exp(log_zoom) * turn
    return np.column_stack([linear, np.array([x, y]) - linear @ centre])


class Bending:
    """A smooth random displacement φ of the plane around a box; ``amount`` s gives the map q -> q + s φ(q).

    φ is made so flat that the map is invertible for every s in [-1, 1]: its slopes, lengths in units of the box, add up
    to at most 0.6, which leaves a strength above 0.1 little effect.

    Args:
        box: (left, top, width, height) in pixels; φ varies over the box and a margin of half as much around it.
        strength: largest displacement, in widths and heights of the box.
    """

    def __init__(self, box: tuple, strength: float) -> None:
        left, top, width, height = box
        coarse = np.random.uniform(-strength, strength, (NODES, NODES, 2)).astype(np.float32)
        # Stretched before it is looked up: cv2.remap rounds positions to 1/32 of a cell.
        field = cv2.resize(coarse, (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC)
        along, down = width * np.abs(np.diff(field, axis=1)), height * np.abs(np.diff(field, axis=0))
        field *= (width, height) / np.maximum(1, (along[1:] + down[:, 1:]).max() / STEEPEST)
        self._field = field.astype(np.float32)
        self._origin = np.array([left - width / 2, top - height / 2], np.float32)
        self.reach = np.abs(self._field).max(axis=(0, 1))  # pixels along x and y

    def displacement(self, points: np.ndarray) -> np.ndarray:
        """φ at (h, w, 2) float32 positions (x, y): (h, w, 2) float32, pixels."""
        return cv2.remap(self._field, points - self._origin, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def inverse(self, targets: np.ndarray, amount: float, start: np.ndarray) -> np.ndarray:
        """The q with q + s φ(q) = target, by q <- target - s φ(q), to 0.05 pixels.

        Args:
            targets: (h, w, 2) float32 positions.
            amount: s, in [-1, 1].
            start: (h, w, 2) float32, a guess.

        Returns:
            (h, w, 2) float32.
        """
        points = start
        for _ in range(INVERSE_STEPS):
            points = targets - amount * self.displacement(points)
        return points
