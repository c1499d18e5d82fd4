"""Geometric transforms of whole clips: pixels, masks, and the positions and vectors of flow change together."""

from collections.abc import Sequence

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from tempseg_mm.ops.resize import Size, resize_flow, resize_image, resize_mask, target_size
from tempseg_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ClipResize(BaseTransform):
    """Resizes ``frames``, ``gt_masks``, ``void`` and ``flow``; flow vectors are scaled too.

    Args:
        size: (H, W), or the length of the shorter side; see :func:`~tempseg_mm.ops.resize.target_size`.
    """

    def __init__(self, size: Size) -> None:
        self.size = size

    def transform(self, results: dict) -> dict:
        size = target_size(self.size, results['frames'][0].shape[:2])
        for key, resize in (('frames', resize_image), ('gt_masks', resize_mask), ('void', resize_mask),
                            ('flow', resize_flow)):
            if key in results:
                results[key] = [resize(item, size) for item in results[key]]
        return results


@TRANSFORMS.register_module()
class ClipRandomAffine(BaseTransform):
    """Rotates, zooms, shifts and flips a clip by one random affine map about the centre of the frame.

    Paper note: the paper augments by "random rotation, flipping and zooming" so as not to disturb the temporal
    consistency: hence one draw per clip, and the flow vectors are turned, flipped and scaled with the pixels (paper
    note P23).

    Areas that come into view show the reflected image, an empty mask, and the flow of the nearest border pixel.

    Args:
        degrees: rotation is drawn from [-degrees, degrees].
        scale: smallest and largest zoom; above 1 magnifies.
        flip: probability of a left-right flip.
        translate: shift is drawn from [-translate, translate] of the width and of the height.

    Raises:
        ValueError: if the scale does not satisfy 0 < smallest <= largest, or the probability is outside [0, 1].
    """

    def __init__(self, degrees: float = 10.0, scale: Sequence = (0.9, 1.2), *, flip: float = 0.5,
                 translate: float = 0.05) -> None:
        if len(scale) != 2 or not 0 < scale[0] <= scale[1]:
            raise ValueError(f'scale must be (smallest, largest) with 0 < smallest <= largest, got {scale!r}')
        if not 0 <= flip <= 1:
            raise ValueError(f'flip is a probability, in [0, 1], got {flip!r}')
        self.degrees, self.scale, self.flip, self.translate = degrees, tuple(scale), flip, translate

    def draw(self, height: int, width: int) -> np.ndarray:
        """Draw one random map, (2, 3) float64, from old to new pixel positions (x, y, 1)."""
        angle = np.deg2rad(np.random.uniform(-self.degrees, self.degrees))
        zoom = np.exp(np.random.uniform(*np.log(self.scale)))
        mirror = -1.0 if np.random.rand() < self.flip else 1.0
        shift = np.random.uniform(-self.translate, self.translate, 2) * (width, height)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        linear = zoom * turn @ np.diag([mirror, 1])
        centre = np.array([width - 1, height - 1]) / 2
        return np.column_stack([linear, centre + shift - linear @ centre])

    def transform(self, results: dict) -> dict:
        matrix = self.draw(*results['frames'][0].shape[:2])
        results['frames'] = [_warp(frame, matrix, cv2.BORDER_REFLECT_101) for frame in results['frames']]
        for key in ('gt_masks', 'void'):
            if key in results:
                results[key] = [_warp_mask(mask, matrix) for mask in results[key]]
        if 'flow' in results:
            results['flow'] = [warp_flow(flow, matrix) for flow in results['flow']]
        return results


def warp_flow(flow: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Warp flow to frames that an affine map A x + b has moved: F'(A x + b) = A F(x).

    Args:
        flow: (H, W, 2) float32, (x, y) in pixels.
        matrix: (2, 3), [A | b], from old to new positions.

    Returns:
        (H, W, 2) float32; where no source pixel exists, the flow of the nearest border pixel.
    """
    moved = _warp(flow, matrix, cv2.BORDER_REPLICATE)
    return cv2.transform(moved, matrix[:, :2].astype(np.float32))


def _warp_mask(mask: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return (_warp(mask * 255, matrix, cv2.BORDER_CONSTANT) > 127).astype(np.uint8)


def _warp(image: np.ndarray, matrix: np.ndarray, border: int) -> np.ndarray:
    return cv2.warpAffine(image, matrix, image.shape[1::-1], flags=cv2.INTER_LINEAR, borderMode=border)
