"""A window of a clip, drawn once and brought to a fixed size: training on details of large frames at the cost of small
ones. Used in training pipelines and as augmentation of online fine-tuning."""

from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform

from tempseg_mm.ops.resize import resize_flow, resize_image, resize_mask
from tempseg_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ClipRandomWindow(BaseTransform):
    """Cuts one window out of ``frames``, ``gt_masks`` and ``flow`` and resizes it to ``size`` (flow vectors too).

    The window has the shape of ``size`` and lies inside the frame; one that would be larger than the frame is as large
    as fits, and is then distorted to ``size`` where shapes differ.

    Args:
        size: (H, W) of what comes out.
        scale: smallest and largest enlargement, pixels of ``size`` per pixel of the frame; drawn log-uniformly. Frames
            of 240x427 and ``size`` (128, 224) are seen whole at 0.53, one to one at 1.
        on_object: probability that the window is laid around a pixel of the object, at a random place within the
            window; else anywhere. A clip without object is cut anywhere.

    Raises:
        ValueError: for a size or scale that is none, or a probability outside [0, 1].
    """

    def __init__(self, size: Sequence, scale: Sequence = (0.5, 1.2), *, on_object: float = 0.8) -> None:
        if len(size) != 2 or not all(int(side) == side >= 1 for side in size):
            raise ValueError(f'size must be (height, width), at least 1 each, got {size!r}')
        if len(scale) != 2 or not 0 < scale[0] <= scale[1]:
            raise ValueError(f'scale must be (smallest, largest) with 0 < smallest <= largest, got {scale!r}')
        if not 0 <= on_object <= 1:
            raise ValueError(f'on_object is a probability, in [0, 1], got {on_object!r}')
        self.size, self.scale, self.on_object = (int(size[0]), int(size[1])), tuple(scale), on_object

    def transform(self, results: dict) -> dict:
        window = self.draw(results['frames'][0].shape[:2], results.get('gt_masks', ()))
        for key, resize in (('frames', resize_image), ('gt_masks', resize_mask), ('flow', resize_flow)):
            if key in results:
                results[key] = [resize(np.ascontiguousarray(item[window]), self.size) for item in results[key]]
        return results

    def draw(self, shape: Sequence, masks: Sequence) -> tuple[slice, slice]:
        """Rows and columns of one random window in frames of ``shape`` (H, W) whose object ``masks`` (H, W) show."""
        zoom = np.exp(np.random.uniform(*np.log(self.scale)))
        sides = [min(full, max(1, round(side / zoom))) for side, full in zip(self.size, shape)]
        place = np.random.uniform(size=2)
        corner = [share * (full - side) for share, side, full in zip(place, sides, shape)]
        if np.random.rand() < self.on_object and (pixel := _object_pixel(masks)) is not None:
            corner = [at - int(share * side) for at, share, side in zip(pixel, place, sides)]
        starts = [int(np.clip(round(start), 0, full - side)) for start, side, full in zip(corner, sides, shape)]
        return tuple(slice(start, start + side) for start, side in zip(starts, sides))


def _object_pixel(masks: Sequence) -> tuple[int, int] | None:
    """(row, column) of a random pixel of the object in a random frame that shows it."""
    shown = [mask for mask in masks if mask.any()]
    if not shown:
        return None
    pixels = np.flatnonzero(shown[np.random.randint(len(shown))])
    return divmod(int(np.random.choice(pixels)), masks[0].shape[1])
