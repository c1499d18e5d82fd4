"""Reference masks for training: the mask of each frame with errors like those of a propagated prediction."""

from dataclasses import dataclass

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from tempseg_mm.registry import TRANSFORMS


@dataclass(frozen=True)
class _Fault:
    """One random error; lengths in units of the object's size."""
    shift: np.ndarray  # (2,)
    log_scale: float
    degrees: float
    dilate: float

    def __add__(self, other: '_Fault') -> '_Fault':
        return _Fault(self.shift + other.shift, self.log_scale + other.log_scale, self.degrees + other.degrees,
                      self.dilate + other.dilate)


@TRANSFORMS.register_module()
class DeformReferenceMask(BaseTransform):
    """Adds ``reference_masks``, T arrays (H, W) uint8 0/1, and ``first_reference``, one such array.

    ``reference_masks[t]`` is the deformed ground truth of frame t, in the place of frame t; the data preprocessor moves
    it to frame t+1. The last mask is not deformed, because no frame follows it, and no random numbers are drawn for it.
    ``first_reference`` is the reference mask of frame 0: the ground truth of frame 0, deformed by a separate draw. It
    is drawn first, then frames 0 to T-2 in order.

    Errors differ from frame to frame but share a part that lasts through the clip, as the errors of propagation do:
    half of each range is drawn once per clip, half for every frame. Without this transform ``PackClip`` uses the
    undeformed ground truth.

    Paper note: the paper reuses "network-generated masks ... as reference masks" but feeds a three-channel image; in
    the reading where the previous mask is an input channel, training shows it faulty masks (paper note P16).

    Lengths are relative to the object's size, the square root of its bounding box's area.

    Args:
        max_shift: largest displacement along x and y.
        scale: largest relative change of size; 0.1 means a factor of 1/1.1 to 1.1.
        rotate: largest rotation, degrees.
        warp: largest displacement of the outline by a smooth random field.
        dilate: largest distance by which the outline grows or shrinks.
        empty_prob: probability that a mask is empty, as if the object were lost.
        spurious_prob: probability that a mask has a second blob somewhere, as if another object were mistaken for this
            one. Propagation feeds such an error back to the network, which must learn to ignore it.

    Raises:
        ValueError: for a negative argument or a probability above 1.
    """

    def __init__(self, max_shift: float = 0.05, scale: float = 0.08, *, rotate: float = 8.0, warp: float = 0.06,
                 dilate: float = 0.04, empty_prob: float = 0.1, spurious_prob: float = 0.0) -> None:
        self.max_shift, self.scale, self.rotate, self.warp = max_shift, scale, rotate, warp
        self.dilate, self.empty_prob, self.spurious_prob = dilate, empty_prob, spurious_prob
        for name, value in vars(self).items():
            if value < 0 or name.endswith('_prob') and value > 1:
                raise ValueError(f'{name} of DeformReferenceMask is out of range: {value!r}')

    def transform(self, results: dict) -> dict:
        masks, common = results['gt_masks'], self._draw_half()
        results['first_reference'] = self._deform(masks[0], common)
        results['reference_masks'] = [*(self._deform(mask, common) for mask in masks[:-1]), masks[-1]]
        return results

    def _draw_half(self) -> _Fault:
        """Draw half of the ranges, so that the common part and the frame's own part sum to at most the whole range."""
        shift_x, shift_y, scale, rotate, dilate = np.random.uniform(-0.5, 0.5, 5)
        return _Fault(self.max_shift * np.array([shift_x, shift_y]), np.log1p(self.scale) * scale, self.rotate * rotate,
                      self.dilate * dilate)

    def _deform(self, mask: np.ndarray, common: _Fault) -> np.ndarray:
        fault, empty = common + self._draw_half(), np.random.rand() < self.empty_prob
        field = np.random.uniform(-self.warp, self.warp, (5, 5, 2)).astype(np.float32)
        if empty or not mask.any():
            return np.zeros_like(mask)
        deformed = deform_mask(mask, fault, field)
        return add_blob(deformed) if np.random.rand() < self.spurious_prob else deformed


def deform_mask(mask: np.ndarray, fault: _Fault, field: np.ndarray) -> np.ndarray:
    """Move, rotate, scale and warp a mask that is not empty, then dilate or erode it.

    Args:
        mask: (H, W) uint8 0/1.
        fault: the error; lengths relative to the object's size.
        field: (h, w, 2) float32, h and w at least 2, a coarse field of displacements relative to the object's size. It
            is stretched over the object's bounding box and a margin of half its size on every side.

    Returns:
        (H, W) uint8 0/1.
    """
    left, top, width, height = cv2.boundingRect(mask)
    size = np.sqrt(width * height)
    centre = (left + (width - 1) / 2, top + (height - 1) / 2)
    matrix = cv2.getRotationMatrix2D(centre, fault.degrees, np.exp(fault.log_scale))
    matrix[:, 2] += fault.shift * size
    radius = round(fault.dilate * size)
    rows, columns = _landing((left, top, width, height), matrix, size * np.abs(field).max(), abs(radius), mask.shape)
    deformed = np.zeros_like(mask)
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return deformed
    x, y = np.meshgrid(np.arange(columns.start, columns.stop, dtype=np.float32),
                       np.arange(rows.start, rows.stop, dtype=np.float32))
    source = cv2.transform(cv2.merge([x, y]), cv2.invertAffineTransform(matrix).astype(np.float32))
    x, y = x[:1], y[:, :1]
    # Position of each pixel in the coarse field
    grid_x = ((x - centre[0]) / (2 * width) + 0.5) * (field.shape[1] - 1)
    grid_y = ((y - centre[1]) / (2 * height) + 0.5) * (field.shape[0] - 1)
    grid_x, grid_y = (np.ascontiguousarray(part) for part in np.broadcast_arrays(grid_x, grid_y))
    source += size * cv2.remap(field, grid_x, grid_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    moved = cv2.remap(mask * np.uint8(255), source, None, cv2.INTER_LINEAR)
    deformed[rows, columns] = _grow((moved > 127).view(np.uint8), radius)
    return deformed


def _landing(box: tuple, matrix: np.ndarray, bent: float, grown: int, shape: tuple) -> tuple[slice, slice]:
    """Return rows and columns outside which a deformed mask is empty.

    Args:
        box: (left, top, width, height) of the object.
        matrix: (2, 3), where it moves.
        bent: largest displacement on top of that, pixels before the move.
        grown: margin for growing or eroding, pixels after the move.
        shape: (H, W) of the mask.
    """
    left, top, width, height = box
    near, far = (left - bent - 1, top - bent - 1), (left + width + bent, top + height + bent)
    corners = np.array([[near, (far[0], near[1]), far, (near[0], far[1])]], float)
    x, y = cv2.transform(corners, matrix)[0].T
    columns, rows = (slice(max(0, int(np.floor(at.min())) - grown - 1), min(side, int(np.ceil(at.max())) + grown + 2))
                     for at, side in ((x, shape[1]), (y, shape[0])))
    return rows, columns


def add_blob(mask: np.ndarray) -> np.ndarray:
    """Add an ellipse to a mask, (H, W) uint8 0/1, at a random place; its axes are 0.2 to 1 of the object's size."""
    _, _, width, height = cv2.boundingRect(mask)
    axes = np.sqrt(width * height) / 2 * np.random.uniform(0.2, 1, 2)
    centre = np.random.uniform(0, mask.shape[::-1])
    angle = np.random.uniform(0, 180)
    return cv2.ellipse(mask.copy(), (tuple(centre), tuple(2 * axes), angle), 1, cv2.FILLED)


def _grow(mask: np.ndarray, radius: int) -> np.ndarray:
    """Dilate by ``radius`` pixels, or erode if it is negative. An object is never eroded away completely."""
    if radius == 0:
        return mask
    side = 2 * abs(radius) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    grown = cv2.dilate(mask, kernel) if radius > 0 else cv2.erode(mask, kernel)
    return grown if grown.any() else mask
