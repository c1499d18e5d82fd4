"""Size and place of the window that follows an object (trackers call it the search region)."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from .redetection import Redetection
from .surroundings import Surroundings
from .window import Window

Box = tuple[float, float, float, float]  # left, top, right, bottom in edge coordinates: the first pixel spans 0 to 1
TRIMMED = 0.01  # share of the pixels at each side outside the box, so that stray pixels do not stretch it
STRIDE = 16  # the sides of a shaped window are multiples of it, as a network halves its maps four times


@dataclass(frozen=True)
class ObjectWindow:
    """Chooses windows in which an object has a set size, whatever its size in the frame.

    The network sees the window instead of the frame. A small object is enlarged, an object that comes nearer keeps its
    size, and a frame of any size costs one window. This is not in the paper; see "Windows that follow the object" in
    the docs.

    A window lies within the frame if it fits. A window that does not fit is centred on the frame and shows no image
    beyond the border.

    Args:
        size: (h, w) of the window, pixels.
        share: part of the window's height or width, whichever is tighter, that the object takes up, in (0, 1].
        max_zoom: largest enlargement of the frame.
        aspect: smallest and largest width / height of :meth:`shaped` windows; ``None``: all windows have ``size``.
        redetection: how a lost object is found again: a :class:`~tempseg_mm.ops.redetection.Redetection` or a dict of
            its settings. Training does not use it.
        surroundings: how the surroundings of a followed object are told by their motion: a
            :class:`~tempseg_mm.ops.surroundings.Surroundings` or a dict of its settings; ``None``: they are not told.
            Training does not use it.

    Raises:
        ValueError: for a setting out of range.
    """
    size: tuple = (128, 224)
    share: float = 0.5
    max_zoom: float = 4.0
    aspect: tuple | None = None
    redetection: Redetection | dict = Redetection()
    surroundings: Surroundings | dict | None = Surroundings()

    def __post_init__(self) -> None:
        if isinstance(self.redetection, dict):
            object.__setattr__(self, 'redetection', Redetection(**self.redetection))
        if isinstance(self.surroundings, dict):
            object.__setattr__(self, 'surroundings', Surroundings(**self.surroundings))
        object.__setattr__(self, 'size', tuple(self.size))
        if len(self.size) != 2 or not all(int(side) == side >= 1 for side in self.size):
            raise ValueError(f'size must be (height, width), at least 1 each, got {self.size!r}')
        if not 0 < self.share <= 1:
            raise ValueError(f'share is the part of the window that the object takes up, in (0, 1], got {self.share!r}')
        if not self.max_zoom > 0:
            raise ValueError(f'max_zoom must be above 0, got {self.max_zoom!r}')
        if self.aspect is not None:
            object.__setattr__(self, 'aspect', tuple(self.aspect))
            if len(self.aspect) != 2 or not 0 < self.aspect[0] <= self.aspect[1]:
                raise ValueError('aspect must be (smallest, largest) width / height with 0 < smallest <= largest, or '
                                 f'None, got {self.aspect!r}')

    def shaped(self, box: Box | None) -> 'ObjectWindow':
        """Return windows that have the aspect ratio of an object, within :attr:`aspect`, and as many pixels.

        An upright or a square object fills little of a wide window, so a window of its own shape shows it larger at the
        same cost. Where that would enlarge the frame, there is no detail to gain, and the window would only see less of
        what is beside the object: then the windows do not change. Sides are multiples of :data:`STRIDE`.

        Args:
            box: box of the object; ``None``, for an object that is not seen: windows of the same size.
        """
        if self.aspect is None or box is None:
            return self
        left, top, right, bottom = box
        ratio = min(max((right - left) / (bottom - top), self.aspect[0]), self.aspect[1])
        height = _rounded(np.sqrt(self.size[0] * self.size[1] / ratio))
        shaped = self.sized((height, _rounded(self.size[0] * self.size[1] / height)))
        return shaped if shaped._own_zoom(box) <= 1 else self

    def sized(self, size: tuple) -> 'ObjectWindow':
        """Return windows of another size, (h, w)."""
        return replace(self, size=size)

    def around(self, box: Box, frame_size: tuple, *, zoom: float = 1.0, shift: tuple = (0.0, 0.0),
               degrees: float = 0.0, mirrored: bool = False) -> Window:
        """Return the window around an object.

        Args:
            box: box of the object in the frame.
            frame_size: (H, W) of the frame.
            zoom: factor on top of the zoom that gives the object its share.
            shift: offset of the window's centre, (x, y), in units of the square root of the box's area.
            degrees: rotation, as in :meth:`Window.about <tempseg_mm.ops.window.Window.about>`.
            mirrored: swap left and right.
        """
        left, top, right, bottom = box
        zoom = zoom * self._own_zoom(box)
        zoom = min(max(zoom, self._whole_zoom(frame_size)), max(self.max_zoom, self._whole_zoom(frame_size)))
        size = np.sqrt(max(right - left, 1.0) * max(bottom - top, 1.0))
        centre = [self._within((low + high) / 2 + part * size, side / zoom, full)
                  for low, high, part, side, full in (
                      (left, right, shift[0], self.size[1], frame_size[1]),
                      (top, bottom, shift[1], self.size[0], frame_size[0]))]
        return Window.about(centre, zoom, self.size, frame_size, degrees=degrees, mirrored=mirrored)

    def wider(self, window: Window, factor: float) -> Window:
        """Return a window about the same place at 1 / ``factor`` of its zoom, which sees at most the whole frame."""
        height, width = window.frame_size
        zoom = max(window.zoom / factor, self._whole_zoom(window.frame_size))
        x, y = window.inverse @ (window.size[1] / 2 - 0.5, window.size[0] / 2 - 0.5, 1) + 0.5
        centre = (self._within(x, self.size[1] / zoom, width), self._within(y, self.size[0] / zoom, height))
        return Window.about(centre, zoom, self.size, window.frame_size)

    def whole(self, frame_size: tuple) -> Window:
        """Return the window that shows the whole frame."""
        zoom = self._whole_zoom(frame_size)
        return Window.about((frame_size[1] / 2, frame_size[0] / 2), zoom, self.size, frame_size)

    def _own_zoom(self, box: Box) -> float:
        """Return the zoom that gives an object its share of the window."""
        left, top, right, bottom = box
        return self.share * min(self.size[0] / max(bottom - top, 1.0), self.size[1] / max(right - left, 1.0))

    def _whole_zoom(self, frame_size: tuple) -> float:
        return min(side / full for side, full in zip(self.size, frame_size, strict=True))

    @staticmethod
    def _within(centre: float, seen: float, full: float) -> float:
        return full / 2 if seen >= full else min(max(centre, seen / 2), full - seen / 2)


def _rounded(side: float) -> int:
    return max(1, round(side / STRIDE)) * STRIDE


def box_of(x: np.ndarray, y: np.ndarray) -> Box:
    """Return the box of pixels at x and y, (N,) each with N >= 1, without the outermost hundredth at each side."""
    sides = []
    for at in (x, y):
        cut = int(TRIMMED * len(at))
        ordered = np.partition(at, (cut, len(at) - 1 - cut))
        sides.append((float(ordered[cut]), float(ordered[len(at) - 1 - cut]) + 1))
    (left, right), (top, bottom) = sides
    return left, top, right, bottom


def box_of_mask(mask: np.ndarray) -> Box | None:
    """Return :func:`box_of` for the nonzero pixels of a mask (H, W), or ``None`` if there are none."""
    shown = (mask != 0).view(np.uint8)
    left, top, width, height = cv2.boundingRect(shown)
    if not width:
        return None
    shown, sides = shown[top:top + height, left:left + width], []
    for axis, begin in ((0, left), (1, top)):  # counts per column and row give the same box as a list of all pixels
        up_to = np.cumsum(cv2.reduce(shown, axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S))
        cut = int(TRIMMED * up_to[-1])
        first, last = np.searchsorted(up_to, (cut, up_to[-1] - 1 - cut), side='right')
        sides.append((float(begin + first), float(begin + last) + 1))
    (left, right), (top, bottom) = sides
    return left, top, right, bottom
