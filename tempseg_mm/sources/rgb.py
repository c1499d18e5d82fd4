"""Pixels of any common layout as (H, W, 3) uint8 RGB. Called by the sources of files and of arrays."""

import numpy as np


def to_rgb8(image: np.ndarray, source: str = 'frame') -> np.ndarray:
    """A picture as the frame it stands for.

    Args:
        image: (H, W) or (H, W, 1) gray, (H, W, 3) RGB or (H, W, 4) RGBA, whose alpha is left out; uint8, or uint16,
            of which x becomes x / 257, rounded: 65535 becomes 255.
        source: what it is, for messages.

    Returns:
        (H, W, 3) uint8 RGB, contiguous; of the same memory where ``image`` is that.

    Raises:
        ValueError: another type, shape or number format, floats among them.
    """
    if not isinstance(image, np.ndarray):
        raise ValueError(f'{source} must be an array of numpy, (H, W, 3) uint8 RGB; got {type(image).__name__}')
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)) or image.size == 0:
        raise ValueError(f'{source} must be (H, W, 3) RGB, (H, W, 4) RGBA or gray, (H, W) or (H, W, 1); got the shape '
                         f'{image.shape}{_transposed(image.shape)}')
    if image.dtype not in (np.uint8, np.uint16):
        raise ValueError(f'{source} must hold uint8, 0 to 255, or uint16; got {image.dtype}{_conversion(image.dtype)}')
    if image.dtype == np.uint16:
        image = ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if image.ndim == 2 or image.shape[2] == 1:
        return np.repeat(image.reshape(*image.shape[:2], 1), 3, axis=2)
    return np.ascontiguousarray(image[..., :3])


def _transposed(shape: tuple) -> str:
    is_channels_first = len(shape) == 3 and shape[0] in (1, 3, 4)
    return ': image.transpose(1, 2, 0) puts the channels last' if is_channels_first else ''


def _conversion(dtype: np.dtype) -> str:
    if dtype.kind == 'f':
        return ': of 0.0 to 1.0, take (image * 255).round().astype(np.uint8)'
    return ': image.astype(np.uint8), if its values are 0 to 255'
