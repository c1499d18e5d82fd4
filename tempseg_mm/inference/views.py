"""Defines what the network sees of a frame, and how the mask of an object moves from one frame to the next.

There are two views: the whole frame at a working size, as in the paper, and a window that follows the object. The
propagator carries masks through either view and handles no pixels itself.
"""

from dataclasses import replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from .following_window import FollowingWindow
from .object_mask import ObjectMask
from .prepared_frame import PreparedFrame


class View(Protocol):
    """How the network sees a frame."""

    def given(self, frame: PreparedFrame, mask: np.ndarray, area: float = 0.0) -> ObjectMask:
        """Convert a given mask, (H, W) uint8 0/1, of this frame.

        ``area``: see :func:`~tempseg_mm.inference.object_mask.remembered_area`.
        """

    def without(self, frame: PreparedFrame, found: ObjectMask, taken: np.ndarray) -> ObjectMask:
        """Remove from a mask of this frame the pixels, (H, W) uint8 0/1, that belong to other objects."""

    def moved(self, frame: PreparedFrame, last: ObjectMask) -> ObjectMask:
        """Move the mask of the previous frame to where the object should be in this frame: the reference mask."""

    def pixels(self, frame: PreparedFrame, reference: ObjectMask) -> Tensor:
        """Return what the network sees of the frame, (1, 3, h, w) uint8 RGB, aligned with the reference mask."""

    def found(self, frame: PreparedFrame, reference: ObjectMask, mask: Tensor) -> ObjectMask:
        """Return what is known of the object once the network found a mask, (1, 1, h, w), with a reference mask."""

    def pasted(self, frame: PreparedFrame, found: ObjectMask) -> np.ndarray:
        """Return the mask at the original size of the frame, (H, W) float32 in [0, 1]."""


class WholeFrame:
    """The network sees the whole frame at the working size."""

    def given(self, frame: PreparedFrame, mask: np.ndarray, area: float = 0.0) -> ObjectMask:
        """See :class:`View`."""
        return ObjectMask(frame.at_working_size(mask))

    def without(self, frame: PreparedFrame, found: ObjectMask, taken: np.ndarray) -> ObjectMask:
        """See :class:`View`."""
        return ObjectMask(found.mask * (1 - frame.at_working_size(taken)))

    def moved(self, frame: PreparedFrame, last: ObjectMask) -> ObjectMask:
        """See :class:`View`."""
        return ObjectMask(frame.reference_from(last.mask))

    def pixels(self, frame: PreparedFrame, reference: ObjectMask) -> Tensor:
        """See :class:`View`."""
        return frame.tensor

    def found(self, frame: PreparedFrame, reference: ObjectMask, mask: Tensor) -> ObjectMask:
        """See :class:`View`."""
        return replace(reference, mask=mask)

    def pasted(self, frame: PreparedFrame, found: ObjectMask) -> np.ndarray:
        """See :class:`View`."""
        return frame.at_original_size(found.mask)


def view_of(model: torch.nn.Module, *, shaped: bool = True) -> View:
    """Return the view that a ``TempSegGAN`` is configured for. ``shaped=False``: all windows have their ``size``."""
    if model.window is None:
        return WholeFrame()
    return FollowingWindow(model.window if shaped else replace(model.window, aspect=None))
