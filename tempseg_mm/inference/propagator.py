"""One stateful object per sequence: carries an object's mask from frame to frame with the generator.

    propagator = Propagator(model, size=240)
    propagator.start(first_frame, first_mask)
    for frame in frames:
        probability = propagator.step(frame)
"""

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor

from tempseg_mm.ops.resize import Size

from .prepared_frame import FramePreparer, PreparedFrame, frame_preparer


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
    """Keeps the last mask at the working size, as a tensor; subclasses say how the next mask is found.

    Args:
        preparer: brings frames to the working size; not used where prepared frames come in.
    """

    def __init__(self, preparer: FramePreparer) -> None:
        self.preparer = preparer
        self._frame: PreparedFrame | None = None
        self._mask: Tensor | None = None  # (1, 1, h, w) float in [0, 1]

    def start(self, frame: np.ndarray | PreparedFrame, mask: np.ndarray) -> None:
        """See :class:`MaskPropagation`.

        Raises:
            ValueError: if the mask's size is not the frame's.
        """
        self._frame = self.preparer.first(frame)
        self.correct(mask)

    def step(self, frame: np.ndarray | PreparedFrame) -> np.ndarray:
        """See :class:`MaskPropagation`.

        Raises:
            RuntimeError: before :meth:`start`.
            ValueError: if the frame differs in size from those before.
        """
        if self._frame is None:
            raise RuntimeError('call start(frame, mask) with the first frame before step(frame)')
        self._frame = self.preparer.following(frame)
        self._mask = self._next_mask(self._frame, self._mask)
        return self._frame.at_original_size(self._mask)

    def correct(self, mask: np.ndarray) -> None:
        """See :class:`MaskPropagation`."""
        self._mask = self._frame.at_working_size(mask)

    @abstractmethod
    def _next_mask(self, frame: PreparedFrame, mask: Tensor) -> Tensor:
        """The new frame and the mask of the one before, (1, 1, h, w) in [0, 1] -> (1, 1, h, w) in [0, 1]."""


class Propagator(WorkingSizePropagation):
    """Propagation by the generator; with reference masks the last mask goes in, moved along the flow (paper note P16).

    Args:
        model: a ``TempSegGAN`` in eval mode, its flow provider in the data preprocessor.
        size: working size.
    """

    def __init__(self, model: torch.nn.Module, *, size: Size = None) -> None:
        super().__init__(frame_preparer(model, size=size))
        self.model = model

    @torch.no_grad()
    def _next_mask(self, frame: PreparedFrame, mask: Tensor) -> Tensor:
        return self.model.predict(frame.tensor, frame.reference_from(mask))
