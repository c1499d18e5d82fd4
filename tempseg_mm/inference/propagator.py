"""One stateful object per sequence: carries an object's mask from frame to frame with the generator.

    propagator = Propagator(model, size=240)
    propagator.start(first_frame, first_mask)
    for frame in frames:
        probability = propagator.step(frame)
"""

from abc import ABC, abstractmethod

import cv2
import numpy as np
import torch
from torch import Tensor

from tempseg_mm.datasets.resize import Size, resize_image, resize_mask, target_size
from tempseg_mm.ops.warp import move_mask


class MaskPropagation(ABC):
    """The three verbs by which a test loop carries a mask through a sequence.

    Frames are (H, W, 3) uint8 RGB at their original size, masks (H, W) 0/1 of the same size.
    """

    @abstractmethod
    def start(self, frame: np.ndarray, mask: np.ndarray) -> None:
        """Take the first frame and its given mask."""

    @abstractmethod
    def step(self, frame: np.ndarray) -> np.ndarray:
        """Advance by one frame; returns its probability (H, W) float32 in [0, 1]."""

    @abstractmethod
    def correct(self, mask: np.ndarray) -> None:
        """Replace the current frame's mask by a given one, as the reference for the next."""


class WorkingSizePropagation(MaskPropagation):
    """Keeps the last frame and mask at the working size, as tensors; subclasses say how the next mask is found.

    Args:
        size: working size, see ``tempseg_mm.datasets.resize.target_size``.
        device: where the tensors live.
    """

    def __init__(self, *, size: Size = None, device: str | torch.device = 'cpu') -> None:
        self.size = size
        self.device = device
        self._frame: Tensor | None = None  # (1, 3, h, w) uint8
        self._mask: Tensor | None = None  # (1, 1, h, w) float in [0, 1]

    def start(self, frame: np.ndarray, mask: np.ndarray) -> None:
        """See :class:`MaskPropagation`.

        Raises:
            ValueError: if the mask's size is not the frame's.
        """
        if mask.shape != frame.shape[:2]:
            raise ValueError(f'the given mask is {mask.shape}, its frame {frame.shape[:2]}; they must agree')
        self._frame = self._to_tensor(frame)
        self.correct(mask)

    def step(self, frame: np.ndarray) -> np.ndarray:
        """See :class:`MaskPropagation`.

        Raises:
            RuntimeError: before :meth:`start`.
        """
        if self._frame is None:
            raise RuntimeError('call start(frame, mask) with the first frame before step(frame)')
        following = self._to_tensor(frame)
        if following.shape != self._frame.shape:
            raise ValueError(f'this frame is {tuple(following.shape[-2:])} at the working size, the ones before '
                             f'{tuple(self._frame.shape[-2:])}: the frames of a sequence must agree in size')
        self._mask = self._next_mask(self._frame, following, self._mask)
        self._frame = following
        probability = self._mask[0, 0].float().cpu().numpy()
        if probability.shape != frame.shape[:2]:
            probability = cv2.resize(probability, frame.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        return probability

    def correct(self, mask: np.ndarray) -> None:
        """See :class:`MaskPropagation`."""
        shape = self._frame.shape[-2:]
        self._mask = torch.from_numpy(resize_mask(mask, shape))[None, None].to(self.device, torch.float32)

    def _to_tensor(self, frame: np.ndarray) -> Tensor:
        resized = resize_image(frame, target_size(self.size, frame.shape[:2]))
        return torch.from_numpy(np.ascontiguousarray(resized.transpose(2, 0, 1)))[None].to(self.device)

    @abstractmethod
    def _next_mask(self, frame: Tensor, following: Tensor, mask: Tensor) -> Tensor:
        """(1, 3, h, w) uint8 twice and (1, 1, h, w) in [0, 1] -> (1, 1, h, w) in [0, 1]."""


class Propagator(WorkingSizePropagation):
    """Propagation by the generator; with reference masks the last mask goes in, moved along the flow (paper note P16).

    Args:
        model: a ``TempSegGAN`` in eval mode, its flow provider in the data preprocessor.
        size: working size.
    """

    def __init__(self, model: torch.nn.Module, *, size: Size = None) -> None:
        super().__init__(size=size, device=next(model.parameters()).device)
        self.model = model

    @torch.no_grad()
    def _next_mask(self, frame: Tensor, following: Tensor, mask: Tensor) -> Tensor:
        if self.model.uses_reference:
            mask = move_mask(mask, self.model.data_preprocessor.estimate_flow(frame, following))
        return self.model.predict(following, mask)
