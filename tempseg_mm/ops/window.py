"""A window into a frame: where it lies, what is seen through it, and how an answer found in it gets back.

Positions are those of pixel centres, (x, y) in whole numbers. Relies on OpenCV and NumPy alone.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

OUTSIDE = (124, 116, 104)  # RGB beyond the border of the frame: the mean of ImageNet, which the network sees as 0


@dataclass(frozen=True)
class Window:
    """A similarity, perhaps mirrored, from the pixels of a frame to those of a small picture.

    Attributes:
        matrix: (2, 3) float64, frame to window positions.
        size: (h, w) of the window.
        frame_size: (H, W) of the frame that ``matrix`` refers to.
    """
    matrix: np.ndarray
    size: tuple
    frame_size: tuple

    @classmethod
    def about(cls, centre: tuple, zoom: float, size: tuple, frame_size: tuple, *, degrees: float = 0.0,
              mirrored: bool = False) -> 'Window':
        """The window about a point.

        Args:
            centre: (x, y) in the frame, in edge coordinates: the top left pixel spans 0 to 1.
            zoom: window pixels to a pixel of the frame, above 0.
            size: (h, w) of the window.
            frame_size: (H, W) of the frame.
            degrees: by which what is seen is turned, counter-clockwise.
            mirrored: left and right change places.
        """
        turn = np.deg2rad(degrees)
        linear = zoom * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        linear = linear @ np.diag([-1.0 if mirrored else 1.0, 1.0])
        middle = np.array([size[1], size[0]]) / 2 - 0.5
        return cls(np.column_stack([linear, middle - linear @ (np.asarray(centre, float) - 0.5)]), size, frame_size)

    @property
    def zoom(self) -> float:
        """Window pixels to a pixel of the frame."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix[:, :2]))))

    @property
    def inverse(self) -> np.ndarray:
        """(2, 3) float64, window to frame positions."""
        return cv2.invertAffineTransform(self.matrix)

    def crop(self, image: np.ndarray) -> np.ndarray:
        """What is seen: area means where it is made smaller, linear where larger; :data:`OUTSIDE` beyond the border.

        Args:
            image: (H, W, 3) uint8, the frame, or a smaller copy of all of it.

        Returns:
            (h, w, 3) uint8.
        """
        return self._seen(image, OUTSIDE)

    def crop_mask(self, mask: np.ndarray) -> np.ndarray:
        """(H, W) uint8 0/1 -> (h, w) uint8 0/1: 1 where the object covers more than half; 0 beyond the border."""
        return (self._seen(mask * np.uint8(255), 0) > 127).astype(np.uint8)

    def crop_flow(self, flow: np.ndarray) -> np.ndarray:
        """Flow between two frames seen through this same window.

        Args:
            flow: (H, W, 2) float32, pixels; of the frame or a smaller copy of it.

        Returns:
            (h, w, 2) float32, pixels of the window; repeated from the border beyond it.
        """
        matrix = self._from(flow.shape[:2])
        moved = cv2.warpAffine(flow, matrix, self.size[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return cv2.transform(moved, matrix[:, :2].astype(np.float32))

    def paste(self, values: np.ndarray) -> np.ndarray:
        """Bring an answer back: (h, w) float32 -> (H, W) float32, linear inside the window, 0 outside of it."""
        height, width = self.frame_size
        found = np.zeros((height, width), np.float32)
        left, top, right, bottom = self.extent(self.frame_size)
        if left < right and top < bottom:
            matrix = self.matrix.copy()
            matrix[:, 2] += matrix[:, :2] @ (left, top)
            found[top:bottom, left:right] = cv2.warpAffine(
                values, matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_CONSTANT)
        return found

    def positions(self) -> np.ndarray:
        """Where the pixels of the window lie in the frame: (h, w, 2) float32, (x, y)."""
        return cv2.transform(_grid(tuple(self.size)), self.inverse.astype(np.float32))

    def displacement_to(self, positions: np.ndarray) -> np.ndarray:
        """How far each pixel of the window is from where positions of the frame, (h, w, 2), lie in it: (h, w, 2)."""
        return cv2.transform(positions, self.matrix.astype(np.float32)) - _grid(tuple(self.size))

    def extent(self, shape: tuple, *, margin: int = 1) -> tuple:
        """(left, top, right, bottom), whole pixels of the frame, or of a copy of it of ``shape``, that are seen."""
        h, w = self.size
        corners = np.array([[[-0.5, -0.5], [w - 0.5, -0.5], [-0.5, h - 0.5], [w - 0.5, h - 0.5]]])
        x, y = cv2.transform(corners, cv2.invertAffineTransform(self._from(shape)))[0].T
        return (max(0, int(np.floor(x.min())) - margin), max(0, int(np.floor(y.min())) - margin),
                min(shape[1], int(np.ceil(x.max())) + margin + 1), min(shape[0], int(np.ceil(y.max())) + margin + 1))

    def _from(self, shape: tuple) -> np.ndarray:
        """The matrix from a copy of the frame of another size."""
        if tuple(shape) == tuple(self.frame_size):
            return self.matrix
        scale = np.array([self.frame_size[1] / shape[1], self.frame_size[0] / shape[0]])
        linear = self.matrix[:, :2] * scale
        return np.column_stack([linear, self.matrix[:, 2] + self.matrix[:, :2] @ (0.5 * scale - 0.5)])

    def _seen(self, image: np.ndarray, outside: object) -> np.ndarray:
        matrix = self._from(image.shape[:2])
        zoom = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
        if zoom < 1:
            # A linear look-up reads four pixels; where it would skip some, the part that is seen is shrunk first.
            left, top, right, bottom = self.extent(image.shape[:2], margin=int(np.ceil(1 / zoom)))
            if left >= right or top >= bottom:
                return np.broadcast_to(np.asarray(outside, image.dtype), (*self.size, *image.shape[2:])).copy()
            part = image[top:bottom, left:right]
            shrunk = (max(1, round(zoom * part.shape[0])), max(1, round(zoom * part.shape[1])))
            scale = np.array([part.shape[1] / shrunk[1], part.shape[0] / shrunk[0]])
            matrix = np.column_stack([
                matrix[:, :2] * scale, matrix[:, 2] + matrix[:, :2] @ (0.5 * scale - 0.5 + (left, top))])
            image = cv2.resize(part, shrunk[::-1], interpolation=cv2.INTER_AREA)
        return cv2.warpAffine(image, matrix, self.size[::-1], flags=cv2.INTER_LINEAR,
                              borderMode=cv2.BORDER_CONSTANT, borderValue=outside)


@lru_cache(maxsize=4)
def _grid(size: tuple) -> np.ndarray:
    """(h, w, 2) float32: the (x, y) of each pixel."""
    grid = np.dstack(np.meshgrid(np.arange(size[1]), np.arange(size[0]))).astype(np.float32)
    grid.flags.writeable = False
    return grid
