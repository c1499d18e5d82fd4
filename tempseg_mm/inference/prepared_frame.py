"""Prepares a frame for the network before any mask is known: its pixels at the working size, and its flow.

This depends only on the frames, so another thread may do it ahead of the network. Every propagation uses it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from tempseg_mm.ops.resize import Size, resize_image, resize_mask, target_size
from tempseg_mm.ops.warp import move_mask


@dataclass(frozen=True)
class PreparedFrame:
    """A frame that is ready for the network.

    Attributes:
        size: (H, W) of the original.
        tensor: (1, 3, h, w) uint8 at the working size, on the device of the network.
        image: (H', W', 3) uint8 RGB as read: the original, or a smaller copy that was stored on disk.
        flow: (1, 2, h, w) pixels, from the previous frame to this one; ``None`` in the first frame, and if the network
            takes no reference mask.
    """
    size: tuple
    tensor: Tensor
    flow: Tensor | None = None
    image: np.ndarray | None = None

    def reference_from(self, mask: Tensor) -> Tensor:
        """Move the mask of the previous frame, (1, 1, h, w), along the flow, if there is a flow, to this frame."""
        return mask if self.flow is None else move_mask(mask, self.flow)

    def at_working_size(self, mask: np.ndarray) -> Tensor:
        """Resize a given mask, (H, W) uint8 0/1, to (1, 1, h, w) float32.

        Raises:
            ValueError: if mask and frame differ in size.
        """
        self.check_size(mask)
        resized = resize_mask(mask, tuple(self.tensor.shape[-2:]))
        return torch.from_numpy(resized)[None, None].to(self.tensor.device, torch.float32)

    def check_size(self, mask: np.ndarray) -> None:
        """Raise ValueError if mask and frame differ in size."""
        if mask.shape != self.size:
            raise ValueError(f'the given mask is {mask.shape}, but its frame is {self.size}; both must have the same '
                             'size (H, W)')

    def at_original_size(self, probability: Tensor) -> np.ndarray:
        """Resize (1, 1, h, w) in [0, 1] bilinearly to (H, W) float32."""
        plain = probability[0, 0].float().cpu().numpy()
        if plain.shape != self.size:
            plain = cv2.resize(plain, self.size[::-1], interpolation=cv2.INTER_LINEAR)
        return plain


class FramePreparer:
    """Prepares the frames of a sequence one after the other, and keeps the last one for the flow.

    Args:
        estimate_flow: function of two frames (1, 3, h, w) that returns (1, 2, h, w); ``None``: no flow.
        size: working size, see ``tempseg_mm.ops.resize.target_size``.
        device: device of the tensors.
    """

    def __init__(self, estimate_flow: Callable[[Tensor, Tensor], Tensor] | None = None, *, size: Size = None,
                 device: str | torch.device = 'cpu') -> None:
        self.estimate_flow = estimate_flow
        self.size = size
        self.device = device
        self._last: Tensor | None = None

    def first(self, image: np.ndarray | PreparedFrame, *, size: tuple | None = None) -> PreparedFrame:
        """Prepare a frame that has no previous frame. A frame that is prepared already is returned unchanged.

        Args:
            image: (H, W, 3) uint8 RGB.
            size: (H, W) of the original, if the image is a smaller copy.
        """
        if isinstance(image, PreparedFrame):
            return image
        self._last = self._to_tensor(image)
        return PreparedFrame(size or image.shape[:2], self._last, image=image)

    def following(self, image: np.ndarray | PreparedFrame, *, size: tuple | None = None) -> PreparedFrame:
        """Prepare the frame next to the last one, in either direction. A prepared frame is returned unchanged.

        Args:
            image: (H, W, 3) uint8 RGB.
            size: as in :meth:`first`.

        Raises:
            ValueError: if the frame differs in size from the last one.
        """
        if isinstance(image, PreparedFrame):
            return image
        tensor = self._to_tensor(image)
        if tensor.shape != self._last.shape:
            raise ValueError(f'this frame is {tuple(tensor.shape[-2:])} at the working size, but the frames before it '
                             f'are {tuple(self._last.shape[-2:])}; all frames of a sequence must have the same size')
        flow = None if self.estimate_flow is None else self.estimate_flow(self._last, tensor)
        self._last = tensor
        return PreparedFrame(size or image.shape[:2], tensor, flow, image)

    def _to_tensor(self, image: np.ndarray) -> Tensor:
        resized = resize_image(image, target_size(self.size, image.shape[:2]))
        return torch.from_numpy(np.ascontiguousarray(resized.transpose(2, 0, 1)))[None].to(self.device)


def frame_preparer(model: torch.nn.Module, *, size: Size = None) -> FramePreparer:
    """Make the preparer for a ``TempSegGAN``: on its device, with its flow if it takes reference masks."""
    estimate_flow = model.data_preprocessor.estimate_flow if model.uses_reference else None
    return FramePreparer(estimate_flow, size=size, device=next(model.parameters()).device)
