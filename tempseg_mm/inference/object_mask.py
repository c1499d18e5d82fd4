"""What is known of an object in a frame, and how large it is remembered."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from tempseg_mm.ops.window import Window

FADING = 0.97  # part of the remembered area that is left after a frame


@dataclass(frozen=True)
class ObjectMask:
    """The mask of one object in one frame, with what the next frame needs.

    Attributes:
        mask: (1, 1, h, w) float32 in [0, 1], of the whole frame at the working size or of a window.
        window: the window; ``None``: the whole frame.
        area: remembered area of the object in pixels of the frame, including parts that are hidden.
        home: the window in which a lost object is looked for: where it was last followed, or might be.
        gone: number of frames since the object was last followed.
        shown: visible share of the object in the reference mask with which this mask was found;
            :meth:`View.moved <tempseg_mm.inference.views.View.moved>` measures it for each frame.
        usual: :func:`~tempseg_mm.structures.segmented_frame.sure_share` in the first frame that the network segmented
            after a given mask; 0 before.
        surroundings: belief that a pixel shows the surroundings, (1, 1, h, w) float32, see
            :class:`~tempseg_mm.ops.surroundings.Surroundings`; ``None``: nothing is known.
    """
    mask: Tensor
    window: Window | None = None
    area: float = 0.0
    home: Window | None = None
    gone: int = 0
    shown: float = 1.0
    usual: float = 0.0
    surroundings: Tensor | None = None

    @cached_property
    def plain(self) -> np.ndarray:
        """The mask as an array, (h, w) float32. A GPU hands it over once, for its own frame and for the next one."""
        return self.mask[0, 0].float().cpu().numpy()

    def to(self, device: torch.device) -> 'ObjectMask':
        """Return the same with tensors on a device."""
        told = self.surroundings
        return replace(self, mask=self.mask.to(device), surroundings=None if told is None else told.to(device))

    def state(self) -> dict:
        """Return plain types and tensors to store in a file; :meth:`from_state` reads them."""
        # Cloned, because a slice of a larger tensor would be written with the whole tensor.
        told = self.surroundings
        return dict(mask=self.mask.cpu().clone(), window=_window_state(self.window), area=self.area,
                    home=_window_state(self.home), gone=self.gone, shown=self.shown, usual=self.usual,
                    surroundings=None if told is None else told.cpu().clone())

    @classmethod
    def from_state(cls, state: dict) -> 'ObjectMask':
        """Make a mask from the result of :meth:`state`."""
        return cls(**{**state, 'window': _window_from(state['window']), 'home': _window_from(state['home'])})


def _window_state(window: Window | None) -> dict | None:
    return window and dict(matrix=window.matrix.tolist(), size=list(window.size), frame_size=list(window.frame_size))


def _window_from(state: dict | None) -> Window | None:
    return state and Window(np.array(state['matrix']), tuple(state['size']), tuple(state['frame_size']))


def remembered_area(areas: Mapping[int, float], frame_id: int) -> float:
    """Compute the area by which an object is remembered in a frame::

        area = max over given frames i of areas[i] * FADING ** |frame_id - i|

    Args:
        areas: frame number -> pixels of the object in a given mask.
        frame_id: number of the frame.

    Returns:
        Number of pixels; 0 if no mask shows the object.
    """
    return max((area * FADING ** abs(frame_id - i) for i, area in areas.items()), default=0.0)
