"""Measures what a network finds without a reference mask: whether it knows an object, or merely follows a mask.

Online adaptation asks it before it learns from masks that nobody gave.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from tempseg_mm.evaluation.functional.region import region_similarity

from .prepared_frame import frame_preparer
from .views import View, view_of

if TYPE_CHECKING:
    from .segmenter import Segmenter

AROUND = 2  # width of the window in which distractors are looked for, relative to the usual one


def found_alone(segmenter: 'Segmenter', generator: nn.Module, image: np.ndarray, mask: np.ndarray) -> float:
    """Compute the IoU of a mask with what the network finds there without a reference mask.

    It tells whether the network knows how the object looks now: with a reference mask, it may merely follow it.

    Args:
        segmenter: its model and its working size are used.
        generator: the generator of the object.
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) uint8, 1 where the object is, not empty.

    Returns:
        IoU in [0, 1], at the resolution of the network's view of the frame.
    """
    return region_similarity(*_found(segmenter, generator, image, mask, view=view_of(segmenter.model)))


def distractors(segmenter: 'Segmenter', generator: nn.Module, image: np.ndarray, mask: np.ndarray) -> float:
    """Compute the area of what the network finds beside an object without a reference mask, in areas of the object.

    A generator that was not fine-tuned finds whatever is like the objects of its training. So a large value tells that
    others beside the object may be confused with it (distractors, as visual tracking calls them). The window is twice
    as wide as usual and ignores ``aspect``, because an upright window shows little of what is beside an upright object.
    A network without windows sees the whole frame.

    Args:
        segmenter: its model and its working size are used.
        generator: a generator that was not fine-tuned.
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) uint8, 1 where the object is, not empty.

    Returns:
        0 or more.
    """
    found, shown = _found(segmenter, generator, image, mask, view=view_of(segmenter.model, shaped=False), around=AROUND)
    return np.count_nonzero(found & ~shown) / max(1, np.count_nonzero(shown))


def _found(segmenter: 'Segmenter', generator: nn.Module, image: np.ndarray, mask: np.ndarray, *, view: View,
           around: float = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return what the network finds and where the mask is, both (h, w) bool in the network's view of the frame."""
    model = segmenter.model
    frame = frame_preparer(model, size=segmenter.size).first(image)
    seen = view.given(frame, mask, area=around ** 2 * np.count_nonzero(mask))
    found = model.predict(view.pixels(frame, seen), torch.zeros_like(seen.mask), generator=generator)
    return found[0, 0].cpu().numpy() > 0.5, seen.plain > 0.5
