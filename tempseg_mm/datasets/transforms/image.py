"""Transforms of single images for pre-training a backbone; mmcv's ``RandomFlip`` and ``CenterCrop`` go with them."""

import numpy as np
import torch
from mmcv.transforms import BaseTransform

from tempseg_mm.ops.resize import resize_image
from tempseg_mm.registry import TRANSFORMS

TRIES = 10


@TRANSFORMS.register_module()
class RandomResizedCrop(BaseTransform):
    """A random part of ``img``, resized to one size: the crop of Szegedy et al., 2015.

    Args:
        size: (H, W) of the result.
        scale: share of the area that the part has is drawn from this interval.
        ratio: its width over its height, drawn evenly in logarithm. A part that does not fit is drawn again, ten times;
            then the largest centred square is taken.

    Raises:
        ValueError: for an interval that is empty or not positive, or a share above 1.
    """

    def __init__(self, size: tuple, *, scale: tuple = (0.08, 1.0), ratio: tuple = (3 / 4, 4 / 3)) -> None:
        if not (0 < scale[0] <= scale[1] <= 1 and 0 < ratio[0] <= ratio[1]):
            raise ValueError(f'scale must be an interval in (0, 1] and ratio one of positive numbers, got {scale} and '
                             f'{ratio}')
        self.size, self.scale, self.ratio = tuple(size), tuple(scale), tuple(ratio)

    def transform(self, results: dict) -> dict:
        top, left, height, width = self._part(*results['img'].shape[:2])
        results['img'] = resize_image(results['img'][top:top + height, left:left + width], self.size)
        return results

    def _part(self, height: int, width: int) -> tuple:
        """(top, left, height, width) in pixels."""
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
    """``img`` and ``label`` to what ``ImageClassifier`` takes: ``inputs`` (3, H, W) uint8 and ``data_samples``."""

    def transform(self, results: dict) -> dict:
        inputs = torch.from_numpy(np.ascontiguousarray(results['img'].transpose(2, 0, 1)))
        return dict(inputs=inputs, data_samples=results['label'])
