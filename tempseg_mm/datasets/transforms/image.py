"""Transforms of single images for pre-training a backbone, used with mmcv's ``RandomFlip`` and ``CenterCrop``."""

import numpy as np
import torch
from mmcv.transforms import BaseTransform

from tempseg_mm.ops.resize import resize_image
from tempseg_mm.registry import TRANSFORMS

TRIES = 10


@TRANSFORMS.register_module()
class RandomResizedCrop(BaseTransform):
    """Crops a random part of ``img`` and resizes it to one size, as in Szegedy et al., 2015.

    Args:
        size: (H, W) of the result.
        scale: interval from which the part's share of the image area is drawn.
        ratio: interval from which the part's width divided by its height is drawn, uniformly on a logarithmic scale. A
            part that does not fit into the image is drawn again, ten times in all; then the largest centred square is
            taken.

    Raises:
        ValueError: for an interval that is empty or not positive, or a share above 1.
    """

    def __init__(self, size: tuple, *, scale: tuple = (0.08, 1.0), ratio: tuple = (3 / 4, 4 / 3)) -> None:
        if not (0 < scale[0] <= scale[1] <= 1 and 0 < ratio[0] <= ratio[1]):
            raise ValueError('scale must be an interval in (0, 1] and ratio an interval of positive numbers, got '
                             f'{scale} and {ratio}')
        self.size, self.scale, self.ratio = tuple(size), tuple(scale), tuple(ratio)

    def transform(self, results: dict) -> dict:
        top, left, height, width = self._part(*results['img'].shape[:2])
        results['img'] = resize_image(results['img'][top:top + height, left:left + width], self.size)
        return results

    def _part(self, height: int, width: int) -> tuple:
        """Draw (top, left, height, width) in pixels."""
        for _ in range(TRIES):
            area = height * width * np.random.uniform(*self.scale)
            ratio = np.exp(np.random.uniform(*np.log(self.ratio)))
            h, w = round(np.sqrt(area / ratio)), round(np.sqrt(area * ratio))
            if 0 < h <= height and 0 < w <= width:
                return np.random.randint(height - h + 1), np.random.randint(width - w + 1), h, w
        side = min(height, width)
        return (height - side) // 2, (width - side) // 2, side, side


@TRANSFORMS.register_module()
class PackImage(BaseTransform):
    """Packs ``img`` and ``label`` for ``ImageClassifier``: ``inputs`` (3, H, W) uint8, ``data_samples`` the label."""

    def transform(self, results: dict) -> dict:
        inputs = torch.from_numpy(np.ascontiguousarray(results['img'].transpose(2, 0, 1)))
        return dict(inputs=inputs, data_samples=results['label'])
