"""Finds the object of a single frame from a rough mask, such as an ellipse in a box, to get a first mask."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from .prepared_frame import FramePreparer
from .views import view_of


def object_finder(model: nn.Module, generator: nn.Module | None = None
                  ) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Make a function that turns a rough mask into the mask of the object, with a trained network.

    The rough mask is the reference mask, as if it came from the previous frame and nothing had moved.

    Args:
        model: a ``TempSegGAN`` in eval mode.
        generator: a generator adapted to the object; ``None``: the model's own.

    Returns:
        A function of an image, (H, W, 3) uint8 RGB, and a non-empty mask, (H, W) uint8 0 or 1, that returns another
        such mask, which may be empty. Several threads may call it.
    """
    view, device = view_of(model), next(model.parameters()).device

    @torch.no_grad()
    def find(image: np.ndarray, rough: np.ndarray) -> np.ndarray:
        frame = FramePreparer(device=device).first(image)
        seen = view.given(frame, rough)
        found = model.predict(view.pixels(frame, seen), seen.mask, generator=generator)
        return (view.pasted(frame, replace(seen, mask=found)) > 0.5).astype(np.uint8)
    return find
