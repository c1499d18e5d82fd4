"""Colour changes, drawn once per clip, so that neighbouring frames stay alike."""

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from tempseg_mm.registry import TRANSFORMS

GRAY = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601 luma of RGB


@TRANSFORMS.register_module()
class ClipPhotometric(BaseTransform):
    """Changes hue, saturation, contrast and brightness of ``frames`` by one affine map of RGB, drawn once per clip.

    Args:
        brightness: factor on all channels is drawn from [1 - brightness, 1 + brightness].
        contrast: factor on the distance from mid-grey (127.5) is drawn from [1 - contrast, 1 + contrast].
        saturation: factor on the distance from the pixel's own grey value is drawn from [1 - saturation, 1 +
            saturation].
        hue: rotation about the grey axis is drawn from [-hue, hue] degrees.

    Raises:
        ValueError: if an argument is negative, or an argument other than ``hue`` is above 1.
    """

    def __init__(self, brightness: float = 0.2, contrast: float = 0.2, *, saturation: float = 0.2,
                 hue: float = 10.0) -> None:
        for name, value in (('brightness', brightness), ('contrast', contrast), ('saturation', saturation)):
            if not 0 <= value <= 1:
                raise ValueError(f'{name} must be in [0, 1], got {value!r}')
        if hue < 0:
            raise ValueError(f'hue is the largest rotation in degrees and must be at least 0, got {hue!r}')
        self.brightness, self.contrast, self.saturation, self.hue = brightness, contrast, saturation, hue

    def transform(self, results: dict) -> dict:
        brightness, contrast, saturation = (
            1 + np.random.uniform(-spread, spread) for spread in (self.brightness, self.contrast, self.saturation))
        hue = np.random.uniform(-self.hue, self.hue)
        matrix = colour_matrix(brightness=brightness, contrast=contrast, saturation=saturation, hue=hue)
        results['frames'] = [cv2.transform(frame, matrix) for frame in results['frames']]
        return results


def colour_matrix(*, brightness: float, contrast: float, saturation: float, hue: float) -> np.ndarray:
    """Return the (3, 4) float64 map of (R, G, B, 1): hue, then saturation, contrast and brightness. Grey stays grey.

    Args:
        brightness: factor.
        contrast: factor about 127.5.
        saturation: factor; 0 makes the image grey.
        hue: rotation about the grey axis in degrees; 120 turns red into green.
    """
    turn, _ = cv2.Rodrigues(np.full(3, np.deg2rad(hue) / np.sqrt(3)))
    saturate = saturation * np.eye(3) + (1 - saturation) * GRAY[None]
    linear = brightness * contrast * saturate @ turn
    return np.column_stack([linear, np.full(3, brightness * 127.5 * (1 - contrast))])
