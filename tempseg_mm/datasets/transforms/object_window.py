"""The window that follows the object, in training: shows a clip as prediction sees it, moved, rotated and scaled."""

from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform

from tempseg_mm.ops.object_window import ObjectWindow, box_of_mask
from tempseg_mm.ops.window import Window
from tempseg_mm.registry import TASK_UTILS, TRANSFORMS


@TRANSFORMS.register_module()
class ClipObjectWindow(BaseTransform):
    """Replaces ``frames``, ``gt_masks``, ``void`` and ``flow`` by their content inside one window around the object.

    The window is placed around the object in a random frame that shows it. If no frame shows it, or with probability
    ``elsewhere``, the window lies anywhere. Optional key ``shown``: for each mask, the visible share of the object; a
    partly hidden object is seen in a window that would fit all of it. Everything is resampled once, so rotating,
    mirroring and scaling take no extra time.

    Args:
        window: config of an ``ObjectWindow``, the same as the model's. In training it must not set ``aspect``, because
            clips of a batch need one size.
        scale: smallest and largest zoom, on top of the zoom that gives the object its share of the window.
        shift: displacement of the window's centre along x and y, drawn from [-shift, shift] object sizes.
        degrees: rotation is drawn from [-degrees, degrees].
        flip: probability of a left-right flip.
        elsewhere: probability that the window ignores the object.

    Raises:
        ValueError: if the scale does not satisfy 0 < smallest <= largest, or a probability is outside [0, 1].
    """

    def __init__(self, window: dict | ObjectWindow, scale: Sequence = (0.6, 1.6), *, shift: float = 0.3,
                 degrees: float = 15.0, flip: float = 0.5, elsewhere: float = 0.0) -> None:
        if len(scale) != 2 or not 0 < scale[0] <= scale[1]:
            raise ValueError(f'scale must be (smallest, largest) with 0 < smallest <= largest, got {scale!r}')
        for name, prob in (('flip', flip), ('elsewhere', elsewhere)):
            if not 0 <= prob <= 1:
                raise ValueError(f'{name} is a probability, in [0, 1], got {prob!r}')
        self.window = TASK_UTILS.build(window) if isinstance(window, dict) else window
        self.scale, self.shift, self.degrees, self.flip, self.elsewhere = tuple(scale), shift, degrees, flip, elsewhere

    def transform(self, results: dict) -> dict:
        window = self.draw(results['frames'][0].shape[:2], results['gt_masks'], results.get('shown'))
        for key, crop in (('frames', window.crop), ('gt_masks', window.crop_mask), ('void', window.crop_mask),
                          ('flow', window.crop_flow)):
            if key in results:
                results[key] = [crop(item) for item in results[key]]
        return results

    def draw(self, shape: tuple, masks: Sequence, shown: Sequence[float] | None = None) -> Window:
        """Draw one random window around the object that ``masks``, each (H, W), show in frames of ``shape`` (H, W).

        ``shown`` is the visible share of the object in each mask; ``None``: all of it.
        """
        zoom = np.exp(np.random.uniform(*np.log(self.scale)))
        shift = np.random.uniform(-self.shift, self.shift, 2)
        degrees = np.random.uniform(-self.degrees, self.degrees)
        mirrored, elsewhere = np.random.rand() < self.flip, np.random.rand() < self.elsewhere
        boxes, first = [box_of_mask(mask) for mask in masks], np.random.randint(len(masks))
        k = next((k for k in (first, *range(len(boxes))) if boxes[k]), None)
        if k is None or elsewhere:
            box = self._anywhere(shape)
        else:
            box, zoom = boxes[k], zoom * np.sqrt(shown[k] if shown else 1.0)
        windows = self.window.shaped(next(filter(None, boxes), None))
        return windows.around(box, shape, zoom=zoom, shift=shift, degrees=degrees, mirrored=mirrored)

    def _anywhere(self, shape: tuple) -> tuple:
        sides = np.array(shape[::-1]) * np.exp(np.random.uniform(np.log(0.1), 0))
        left, top = np.random.uniform(0, 1, 2) * (shape[::-1] - sides)
        return left, top, left + sides[0], top + sides[1]
