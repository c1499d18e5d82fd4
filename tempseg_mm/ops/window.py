"""A window into a frame: its place, the view through it, and the way back of an answer found in it.

Positions are pixel centres, (x, y) in whole numbers.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

OUTSIDE = (124, 116, 104)  # RGB beyond the border of the frame: the mean colour of ImageNet, 0 for the network


@dataclass(frozen=True)
class Window:
    """A similarity transform, possibly mirrored, from the pixels of a frame to those of a small picture.

    Attributes:
        matrix: (2, 3) float64, from frame to window positions.
        size: (h, w) of the window.
        frame_size: (H, W) of the frame that ``matrix`` refers to.
    """
    matrix: np.ndarray
    size: tuple
    frame_size: tuple

    @classmethod
    def about(cls, centre: tuple, zoom: float, size: tuple, frame_size: tuple, *, degrees: float = 0.0,
              mirrored: bool = False) -> 'Window':
        """Return the window about a point.

        Args:
            centre: (x, y) in the frame, in edge coordinates: the top left pixel spans 0 to 1.
            zoom: window pixels per frame pixel, above 0.
            size: (h, w) of the window.
            frame_size: (H, W) of the frame.
            degrees: counter-clockwise rotation of the view.
            mirrored: swap left and right.
        """
        turn = np.deg2rad(degrees)
        linear = zoom * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        linear = linear @ np.diag([-1.0 if mirrored else 1.0, 1.0])
        middle = np.array([size[1], size[0]]) / 2 - 0.5
        return cls(np.column_stack([linear, middle - linear @ (np.asarray(centre, float) - 0.5)]), size, frame_size)

    @property
    def zoom(self) -> float:
        """Window pixels per frame pixel."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix[:, :2]))))

    @property
    def inverse(self) -> np.ndarray:
        """The inverse of :attr:`matrix`, (2, 3) float64, from window to frame positions."""
        return cv2.invertAffineTransform(self.matrix)

    def crop(self, image: np.ndarray) -> np.ndarray:
        """Return the view, linear, smoothed first if the image shrinks, with :data:`OUTSIDE` beyond the border.

        Args:
            image: (H, W, 3) uint8, the frame or a smaller copy of the whole frame.

        Returns:
            (h, w, 3) uint8.
        """
        return self._seen(image, OUTSIDE)

    def crop_mask(self, mask: np.ndarray) -> np.ndarray:
        """Crop (H, W) uint8 0/1 to (h, w) uint8 0/1: 1 where the object covers more than half, 0 beyond the border."""
        image = mask * np.uint8(255)
        left, top, width, height = cv2.boundingRect(image)
        return (self._seen(image, 0, (left, top, left + width, top + height)) > 127).view(np.uint8)

    def crop_flow(self, flow: np.ndarray) -> np.ndarray:
        """Return the flow between two frames that are both seen through this window.

        Args:
            flow: (H, W, 2) float32, pixels, of the frame or a smaller copy of it.

        Returns:
            (h, w, 2) float32, in pixels of the window; beyond the border of the frame, its values at the border.
        """
        matrix = self._from(flow.shape[:2])
        moved = cv2.warpAffine(flow, matrix, self.size[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return cv2.transform(moved, matrix[:, :2].astype(np.float32))

    def paste(self, values: np.ndarray) -> np.ndarray:
        """Paste an answer into the frame: (h, w) float32 -> (H, W) float32, linear inside the window, 0 outside it."""
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
        """Return the position of each window pixel in the frame: (h, w, 2) float32, (x, y)."""
        return cv2.transform(_grid(tuple(self.size)), self.inverse.astype(np.float32))

    def displacement_to(self, positions: np.ndarray) -> np.ndarray:
        """Return the displacement from each window pixel to a position of the frame seen in the window.

        Args:
            positions: (h, w, 2) float32, (x, y) in the frame, one per window pixel.

        Returns:
            (h, w, 2) float32, in pixels of the window.
        """
        return cv2.transform(positions, self.matrix.astype(np.float32)) - _grid(tuple(self.size))

    def extent(self, shape: tuple, *, margin: int = 1) -> tuple:
        """Return the visible part of the frame, (left, top, right, bottom) in whole pixels.

        Args:
            shape: (H, W) of the frame or of a copy of it.
            margin: pixels added at each side, within the frame.
        """
        h, w = self.size
        corners = np.array([[[-0.5, -0.5], [w - 0.5, -0.5], [-0.5, h - 0.5], [w - 0.5, h - 0.5]]])
        x, y = cv2.transform(corners, cv2.invertAffineTransform(self._from(shape)))[0].T
        return (max(0, int(np.floor(x.min())) - margin), max(0, int(np.floor(y.min())) - margin),
                min(shape[1], int(np.ceil(x.max())) + margin + 1), min(shape[0], int(np.ceil(y.max())) + margin + 1))

    def _from(self, shape: tuple) -> np.ndarray:
        """Return the matrix for a copy of the frame with another size."""
        if tuple(shape) == tuple(self.frame_size):
            return self.matrix
        return _from_copy(self.matrix, (self.frame_size[1] / shape[1], self.frame_size[0] / shape[0]))

    def _seen(self, image: np.ndarray, outside: object, box: tuple | None = None) -> np.ndarray:
        """Return the view. ``box`` (left, top, right, bottom) holds all pixels other than ``outside``."""
        matrix = self._from(image.shape[:2])
        zoom = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
        if zoom < 1:
            margin = 2 * int(np.ceil(1 / zoom))
            left, top, right, bottom = self.extent(image.shape[:2], margin=margin)
            if box is not None:
                left, top = max(left, box[0] - margin), max(top, box[1] - margin)
                right, bottom = min(right, box[2] + margin), min(bottom, box[3] + margin)
            if left >= right or top >= bottom:
                return np.broadcast_to(np.asarray(outside, image.dtype), (*self.size, *image.shape[2:])).copy()
            image, scale = _smoothed(image[top:bottom, left:right], zoom)
            matrix = _from_copy(matrix, (scale, scale), (left, top))
        return cv2.warpAffine(image, matrix, self.size[::-1], flags=cv2.INTER_LINEAR,
                              borderMode=cv2.BORDER_CONSTANT, borderValue=outside)


def _from_copy(matrix: np.ndarray, scale: tuple, corner: tuple = (0, 0)) -> np.ndarray:
    """Return an affine map for positions in a copy: of the part that begins at ``corner``, ``scale`` times as small."""
    scale = np.array(scale)
    return np.column_stack([matrix[:, :2] * scale, matrix[:, 2] + matrix[:, :2] @ (0.5 * scale - 0.5 + corner)])


def _smoothed(image: np.ndarray, zoom: float) -> tuple[np.ndarray, int]:
    """Return a copy in which a linear look-up, which reads four pixels, misses none, and how many times smaller it is.

    Means of 2x2 pixels halve the image as long as ``zoom`` allows (a last odd row or column is cut off). A Gaussian of
    3x3 pixels then smooths it. With s pixels of the copy to one of the view, it has the variance v = s²/4 - 1/6, so
    that with the look-up's own 1/6 the view is as smooth as if means of areas, s²/12, were looked up linearly, s²/6.
    """
    scale = 1
    while zoom * scale <= 0.5 and min(image.shape[:2]) > 1:
        height, width = (side // 2 for side in image.shape[:2])
        image = cv2.resize(image[:2 * height, :2 * width], (width, height), interpolation=cv2.INTER_AREA)
        scale *= 2
    variance = min((zoom * scale) ** -2 / 4 - 1 / 6, 0.66)  # 2/3 would be the mean of 3x3 pixels
    sigma = np.sqrt(-0.5 / np.log(variance / 2 / (1 - variance)))  # OpenCV's weights: exp(-x²/2σ²), their sum made 1
    return cv2.GaussianBlur(image, (3, 3), sigma, borderType=cv2.BORDER_REPLICATE), scale


@lru_cache(maxsize=4)
def _grid(size: tuple) -> np.ndarray:
    """Return (h, w, 2) float32: the (x, y) of each pixel."""
    grid = np.dstack(np.meshgrid(np.arange(size[1]), np.arange(size[0]))).astype(np.float32)
    grid.flags.writeable = False
    return grid
