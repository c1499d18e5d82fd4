"""What the measures accept as a mask. Called by every measure of this package before it counts pixels."""

import numpy as np


def as_binary_mask(mask: np.ndarray, *, name: str = 'mask') -> np.ndarray:
    """A mask as booleans.

    Args:
        mask: (H, W) bool, or integer with values 0 and 1.
        name: what the message calls it.

    Returns:
        (H, W) bool; ``mask`` itself where it is that already.

    Raises:
        ValueError: for another rank, for probabilities, or for values other than 0 and 1 (such as 255).
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
    """Prediction and ground truth as booleans of one shape.

    Args:
        pred: (H, W) bool or 0/1 integers.
        gt: likewise, of the same shape.
        void: likewise: where the annotation does not say; ``None``: nowhere.

    Returns:
        Both as (H, W) bool, False where void.

    Raises:
        ValueError: as :func:`as_binary_mask`, and where the shapes differ.
    """
    pred, gt = as_binary_mask(pred, name='the predicted mask'), as_binary_mask(gt, name='the ground truth')
    if pred.shape != gt.shape:
        raise ValueError(f'the predicted mask is {pred.shape}, the ground truth {gt.shape}; a prediction is scored at '
                         'the original size of its annotation')
    return without_void(pred, void), without_void(gt, void)


def without_void(mask: np.ndarray, void: np.ndarray | None) -> np.ndarray:
    """A mask that holds no void pixel.

    Args:
        mask: (H, W) bool.
        void: (H, W) bool or 0/1 integers; ``None``: nothing is void.

    Returns:
        (H, W) bool; ``mask`` itself where nothing is void.

    Raises:
        ValueError: another shape, or values other than 0 and 1.
    """
    if void is None:
        return mask
    void = as_binary_mask(void, name='void')
    if void.shape != mask.shape:
        raise ValueError(f'void is {void.shape}, the mask {mask.shape}; they must agree')
    return mask & ~void
