"""The object of a single frame, from a rough mask of it such as an ellipse in a box. For masks to begin with."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from .prepared_frame import FramePreparer
from .views import view_of


def object_finder(model: nn.Module, generator: nn.Module | None = None
                  ) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """What a trained network takes for the object that a rough mask is about.

    The rough mask goes in as if it were the answer of the frame before, and nothing had moved since.

    Args:
        model: a ``TempSegGAN`` in eval mode.
        generator: one that was adapted to the object; ``None``: the model's own.

    Returns:
        A function of an image, (H, W, 3) uint8 RGB, and a mask, (H, W) uint8 0 or 1 and not empty, that returns another
        mask. Safe for several threads.
    """
    view, device = view_of(model), next(model.parameters()).device

    @torch.no_grad()
    def find(image: np.ndarray, rough: np.ndarray) -> np.ndarray:
        frame = FramePreparer(device=device).first(image)
        seen = view.given(frame, rough)
        found = model.predict(view.pixels(frame, seen), seen.mask, generator=generator)
        return (view.pasted(frame, replace(seen, mask=found)) > 0.5).astype(np.uint8)
    return find
