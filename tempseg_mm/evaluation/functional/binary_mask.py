"""Checks and converts the masks that the measures accept."""

import numpy as np


def as_binary_mask(mask: np.ndarray, *, name: str = 'mask') -> np.ndarray:
    """Convert a mask to booleans.

    Args:
        mask: (H, W) bool, or integer with values 0 and 1.
        name: name of the mask in messages.

    Returns:
        (H, W) bool; ``mask`` itself if it is boolean already.

    Raises:
        ValueError: if it does not have two dimensions, is floating point, or has values other than 0 and 1 (such as
            255).
    """
    mask = np.asarray(mask)
    if mask.ndim != 2:
        raise ValueError(f'{name} must be (H, W), got shape {mask.shape}')
    if mask.dtype == bool:
        return mask
    if mask.dtype.kind not in 'iu':
        raise ValueError(f'{name} must be bool or 0/1 integers, got {mask.dtype}; threshold probabilities first')
    if mask.size and (mask.max() > 1 or mask.min() < 0):
        raise ValueError(f'{name} must hold 0 and 1 only, got values {mask.min()} to {mask.max()}; use `mask > 0`')
    return mask.astype(bool)


def as_binary_pair(pred: np.ndarray, gt: np.ndarray, void: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Convert prediction and ground truth to booleans of one shape.

    Args:
        pred: (H, W) bool or 0/1 integers.
        gt: (H, W) bool or 0/1 integers, of the same shape.
        void: (H, W) bool or 0/1 integers, 1 where the annotation is undecided; ``None``: nowhere.

    Returns:
        Both as (H, W) bool, False at void pixels.

    Raises:
        ValueError: as :func:`as_binary_mask`, and if the shapes differ.
    """
    pred, gt = as_binary_mask(pred, name='the predicted mask'), as_binary_mask(gt, name='the ground truth')
    if pred.shape != gt.shape:
        raise ValueError(f'the predicted mask is {pred.shape}, the ground truth {gt.shape}; a prediction must have the '
                         'original size of its annotation')
    return without_void(pred, void), without_void(gt, void)


def without_void(mask: np.ndarray, void: np.ndarray | None) -> np.ndarray:
    """Clear the void pixels of a mask.

    Args:
        mask: (H, W) bool.
        void: (H, W) bool or 0/1 integers; ``None``: no pixel is void.

    Returns:
        (H, W) bool; ``mask`` itself if ``void`` is ``None``.

    Raises:
        ValueError: if ``void`` has another shape, or values other than 0 and 1.
    """
    if void is None:
        return mask
    void = as_binary_mask(void, name='void')
    if void.shape != mask.shape:
        raise ValueError(f'void is {void.shape}, the mask {mask.shape}; they must agree')
    return mask & ~void
