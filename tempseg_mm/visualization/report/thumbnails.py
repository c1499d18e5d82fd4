"""Choice of the frames of a sequence that deserve a look, while it runs. Used by the inferencer and the report hook."""

from dataclasses import dataclass

import numpy as np

from tempseg_mm.ops.resize import fit_width
from tempseg_mm.visualization.overlay import GROUND_TRUTH_COLOR, draw_contour, overlay_mask

RESERVE = 3  # frames kept per frame shown, because some of the early ones turn out too close to each other


@dataclass(frozen=True, eq=False)
class _Kept:
    index: int
    value: float
    picture: np.ndarray


class ThumbnailKeeper:
    """Keeps small overlays of the frames with the highest values, no two of them close to each other.

    ::

        keeper = ThumbnailKeeper()
        for index, frame in enumerate(frames):
            keeper.add(index, frame.image, frame.labels, 1 - iou(frame.labels, labels_before))
        keeper.thumbnails

    Memory does not grow with the length of the sequence, which need not be known. The frame with the highest value is
    always kept.

    Args:
        num: most frames to show.
        width: wider frames are shrunk to this many pixels.
        spacing: kept frames are at least 1/spacing of the frames seen so far apart.

    Raises:
        ValueError: if ``num``, ``width`` or ``spacing`` is below 1.
    """

    def __init__(self, num: int = 8, *, width: int = 320, spacing: int = 20) -> None:
        if min(num, width, spacing) < 1:
            raise ValueError(f'num, width and spacing must be at least 1, got {num}, {width} and {spacing}')
        self.num = num
        self.width = width
        self.spacing = spacing
        self._kept: list[_Kept] = []

    @property
    def thumbnails(self) -> list[tuple[int, np.ndarray]]:
        """(index, (h, w, 3) uint8 RGB) of each frame to show, sorted by index."""
        best = sorted(self._kept, key=lambda kept: -kept.value)[:self.num]
        return [(kept.index, kept.picture) for kept in sorted(best, key=lambda kept: kept.index)]

    def add(self, index: int, image: np.ndarray, labels: np.ndarray, value: float | None, *,
            gt_mask: np.ndarray | None = None) -> None:
        """Consider a frame.

        Args:
            index: index of the frame, from 0, higher with every call.
            image: (H, W, 3) uint8 RGB.
            labels: (H, W), 0/1 or object ids.
            value: how much the frame deserves a look, such as how much its mask changed; ``None`` if unknown.
            gt_mask: (H, W); if given, it is outlined in another colour.
        """
        gap = -(-(index + 1) // self.spacing)
        self._thin_out(gap)
        if value is None or not value > 0:
            return
        rivals = [kept for kept in self._kept if index - kept.index < gap]
        if not rivals and len(self._kept) == RESERVE * self.num:
            rivals = [min(self._kept, key=lambda kept: kept.value)]
        if all(value > rival.value for rival in rivals):
            self._kept = [kept for kept in self._kept if kept not in rivals]
            self._kept.append(_Kept(index, float(value), self._picture(image, labels, gt_mask)))

    def _thin_out(self, gap: int) -> None:
        """Drop frames that are too close to a better one, now that the sequence is longer."""
        stay: list[_Kept] = []
        for kept in sorted(self._kept, key=lambda kept: -kept.value):
            if all(abs(kept.index - other.index) >= gap for other in stay):
                stay.append(kept)
        self._kept = stay

    def _picture(self, image: np.ndarray, labels: np.ndarray, gt_mask: np.ndarray | None) -> np.ndarray:
        picture = overlay_mask(fit_width(image, self.width), fit_width(labels, self.width, labels=True),
                               contour=gt_mask is None)  # two outlines are too much for so small a picture
        if gt_mask is not None:
            picture = draw_contour(picture, fit_width(gt_mask, self.width, labels=True), color=GROUND_TRUTH_COLOR)
        return picture
