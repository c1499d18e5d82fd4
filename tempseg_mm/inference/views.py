"""What the network sees of a frame, and how the mask of an object gets from one frame to the next.

Two views: the whole frame at a working size, as in the paper, and a window that follows the object. The propagator
carries masks through either and knows no pixels of its own.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tempseg_mm.ops.object_window import ObjectWindow, box_of, box_of_mask
from tempseg_mm.ops.warp import move_mask
from tempseg_mm.ops.window import Window

from .prepared_frame import PreparedFrame


@dataclass(frozen=True)
class ObjectMask:
    """The mask of one object in one frame, as it is carried on.

    Attributes:
        mask: (1, 1, h, w) float32 in [0, 1]: of the frame at the working size, or of a window.
        window: the window; ``None``: the whole frame.
    """
    mask: Tensor
    window: Window | None = None

    def state(self) -> dict:
        """Plain types and tensors, for a file; :meth:`from_state` is the way back."""
        window = self.window and dict(matrix=self.window.matrix.tolist(), size=list(self.window.size),
                                      frame_size=list(self.window.frame_size))
        # Cloned: a slice of a larger tensor would be written with all of it.
        return dict(mask=self.mask.cpu().clone(), window=window)

    @classmethod
    def from_state(cls, state: dict) -> 'ObjectMask':
        """What :meth:`state` told."""
        window = state['window']
        return cls(state['mask'], window and Window(
            np.array(window['matrix']), tuple(window['size']), tuple(window['frame_size'])))


class View(Protocol):
    """What a frame looks like to the network."""

    def given(self, frame: PreparedFrame, mask: np.ndarray) -> ObjectMask:
        """A given mask, (H, W) uint8 0/1, in its own frame."""

    def moved(self, frame: PreparedFrame, last: ObjectMask) -> ObjectMask:
        """The mask of the frame before, where the object should be in this one: the reference."""

    def pixels(self, frame: PreparedFrame, reference: ObjectMask) -> Tensor:
        """(1, 3, h, w) uint8 RGB: what the network sees, in place with the reference."""

    def pasted(self, frame: PreparedFrame, found: ObjectMask) -> np.ndarray:
        """(H, W) float32 in [0, 1] at the frame's own size."""


class WholeFrame:
    """The network sees the whole frame at the working size."""

    def given(self, frame: PreparedFrame, mask: np.ndarray) -> ObjectMask:
        """See :class:`View`."""
        return ObjectMask(frame.at_working_size(mask))

    def moved(self, frame: PreparedFrame, last: ObjectMask) -> ObjectMask:
        """See :class:`View`."""
        return ObjectMask(frame.reference_from(last.mask))

    def pixels(self, frame: PreparedFrame, reference: ObjectMask) -> Tensor:
        """See :class:`View`."""
        return frame.tensor

    def pasted(self, frame: PreparedFrame, found: ObjectMask) -> np.ndarray:
        """See :class:`View`."""
        return frame.at_original_size(found.mask)


class FollowingWindow:
    """The network sees a window that follows the object.

    The mask is moved along the flow at the resolution of the windows: each pixel of the last window lands in the new
    one, which lies around where the object's pixels go.

    Args:
        window: how large windows are and where they lie.
        widening: by how much the window grows with each frame in which nothing of the object is left, until it shows
            the whole frame.
        shrinking: the least share of the last window's width that the new one has: an object that is partly lost must
            not draw the window in.
    """

    def __init__(self, window: ObjectWindow, *, widening: float = 1.25, shrinking: float = 0.95) -> None:
        self.window, self.widening, self.shrinking = window, widening, shrinking

    def given(self, frame: PreparedFrame, mask: np.ndarray) -> ObjectMask:
        """See :class:`View`."""
        frame.check_size(mask)
        box = box_of_mask(mask)
        window = self.window.whole(frame.size) if box is None else self.window.around(box, frame.size)
        seen = torch.from_numpy(window.crop_mask(mask))
        return ObjectMask(seen[None, None].to(frame.tensor.device, torch.float32), window)

    def moved(self, frame: PreparedFrame, last: ObjectMask) -> ObjectMask:
        """See :class:`View`."""
        landing = self._landing(frame, last.window)  # [h, w, 2] in the frame
        y, x = np.nonzero(last.mask[0, 0].cpu().numpy() > 0.5)
        if len(x):
            window = self._around(box_of(landing[y, x, 0], landing[y, x, 1]), last.window)
        else:
            window = self.window.wider(last.window, self.widening)
        into = landing @ window.matrix[:, :2].T + window.matrix[:, 2]
        h, w = window.size
        own = np.stack(np.meshgrid(np.arange(w), np.arange(h)), -1)
        flow = torch.from_numpy((into - own).astype(np.float32)).permute(2, 0, 1)[None]
        return ObjectMask(move_mask(last.mask, flow.to(last.mask.device)), window)

    def pixels(self, frame: PreparedFrame, reference: ObjectMask) -> Tensor:
        """See :class:`View`."""
        seen = reference.window.crop(frame.image)
        return torch.from_numpy(seen).permute(2, 0, 1)[None].to(frame.tensor.device)

    def pasted(self, frame: PreparedFrame, found: ObjectMask) -> np.ndarray:
        """See :class:`View`."""
        return found.window.paste(found.mask[0, 0].float().cpu().numpy())

    def _around(self, box: tuple, last: Window) -> Window:
        window = self.window.around(box, last.frame_size)
        most = last.zoom / self.shrinking
        return window if window.zoom <= most else self.window.around(box, last.frame_size, zoom=most / window.zoom)

    def _landing(self, frame: PreparedFrame, window: Window) -> np.ndarray:
        """Where the pixels of a window of the frame before are in this one: (h, w, 2) float64, (x, y) of the frame."""
        h, w = window.size
        grid = np.stack(np.meshgrid(np.arange(w), np.arange(h)), -1)
        inverse = window.inverse
        points = grid @ inverse[:, :2].T + inverse[:, 2]
        if frame.flow is None:
            return points
        rows, columns = frame.flow.shape[-2:]
        scale = np.array([columns / frame.size[1], rows / frame.size[0]])
        at = torch.from_numpy(((points + 0.5) * scale / (columns, rows) * 2 - 1).astype(np.float32))[None]
        flow = F.grid_sample(frame.flow, at.to(frame.flow.device), padding_mode='border', align_corners=False)
        return points + flow[0].permute(1, 2, 0).cpu().numpy() / scale


def view_of(model: torch.nn.Module) -> View:
    """The view that suits a ``TempSegGAN``."""
    return WholeFrame() if model.window is None else FollowingWindow(model.window)


def found_in(reference: ObjectMask, mask: Tensor) -> ObjectMask:
    """An answer in place of the reference that it was asked with."""
    return replace(reference, mask=mask)
