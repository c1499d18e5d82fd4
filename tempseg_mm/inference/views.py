"""Defines what the network sees of a frame, and how the mask of an object moves from one frame to the next.

There are two views: the whole frame at a working size, as in the paper, and a window that follows the object. The
propagator carries masks through either view and handles no pixels itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tempseg_mm.ops.object_window import ObjectWindow, box_of, box_of_mask
from tempseg_mm.ops.warp import move_mask
from tempseg_mm.ops.window import Window
from tempseg_mm.registry import TASK_UTILS
from tempseg_mm.structures.segmented_frame import sure_share

from .prepared_frame import PreparedFrame

TASK_UTILS.register_module(module=ObjectWindow)

LOST = 0.1  # share of the remembered area below which an object counts as gone
FADING, GROWING = 0.97, 1.2  # limits of the change of the remembered area from frame to frame
FOUND = 0.8  # share of the possible pixels in the mask from which a lost object is found, relative to the usual share
LARGEST = 3  # area of a found object, in remembered areas
WIDENING, WIDEST = 1.25, 50  # growth of every second window for each frame without the object, up to WIDEST frames


@dataclass(frozen=True)
class ObjectMask:
    """The mask of one object in one frame, with what the next frame needs.

    Attributes:
        mask: (1, 1, h, w) float32 in [0, 1], of the whole frame at the working size or of a window.
        window: the window; ``None``: the whole frame.
        area: remembered area of the object in pixels of the frame, including parts that are hidden.
        home: the window in which a lost object is looked for: where it was last followed, or might be.
        gone: number of frames since the object was last followed.
        shown: visible share of the object in the reference mask with which this mask was found; :meth:`View.moved`
            measures it for each frame.
        usual: :func:`~tempseg_mm.structures.segmented_frame.sure_share` in the first frame that the network segmented
            after a given mask; 0 before.
    """
    mask: Tensor
    window: Window | None = None
    area: float = 0.0
    home: Window | None = None
    gone: int = 0
    shown: float = 1.0
    usual: float = 0.0

    @cached_property
    def plain(self) -> np.ndarray:
        """The mask as an array, (h, w) float32. A GPU hands it over once, for its own frame and for the next one."""
        return self.mask[0, 0].float().cpu().numpy()

    def state(self) -> dict:
        """Return plain types and tensors to store in a file; :meth:`from_state` reads them."""
        # Cloned, because a slice of a larger tensor would be written with the whole tensor.
        return dict(mask=self.mask.cpu().clone(), window=_window_state(self.window), area=self.area,
                    home=_window_state(self.home), gone=self.gone, shown=self.shown, usual=self.usual)

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


class View(Protocol):
    """How the network sees a frame."""

    def given(self, frame: PreparedFrame, mask: np.ndarray, area: float = 0.0) -> ObjectMask:
        """Convert a given mask, (H, W) uint8 0/1, of this frame; ``area``: see :func:`remembered_area`."""

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


class FollowingWindow:
    """The network sees a window that follows the object.

    The mask is moved along the flow at the resolution of the windows. Each pixel of the last window lands in the new
    window, which is placed around the moved pixels of the object::

        seen    = pixels of the mask, in the frame
        area    = seen, but at least FADING and at most GROWING times the remembered area
        window  = around the box of the moved mask, as if the object had the remembered area
        lost    = seen <= LOST area: no mask is moved; the network looks where the object was last followed, and in
                  every second frame in a window that grows, at most to the whole frame
        found   = seen <= LARGEST area, and the network is sure: its mask holds at least FOUND times the usual share of
                  the pixels in which the object may be; other answers count as no mask

    So the window does not shrink when an object hides, a small remainder of it is not followed for ever, and what hides
    it is seldom taken for it. Where the network is not sure in a wide window, it looks closely in the next frame. If a
    given mask shows only a part of an object, its remembered area comes from other given masks, see
    :func:`remembered_area`. The window keeps the shape that suits the given mask, see :meth:`ObjectWindow.shaped
    <tempseg_mm.ops.object_window.ObjectWindow.shaped>`.

    Args:
        window: determines the size, the shape and the place of the windows.
    """

    def __init__(self, window: ObjectWindow) -> None:
        self.window = window

    def given(self, frame: PreparedFrame, mask: np.ndarray, area: float = 0.0) -> ObjectMask:
        """See :class:`View`."""
        frame.check_size(mask)
        box, seen = box_of_mask(mask), float(np.count_nonzero(mask))
        area = max(seen, area)
        window = self.window.whole(frame.size) if box is None else self.window.shaped(box).around(
            box, frame.size, zoom=np.sqrt(seen / area))
        cropped = torch.from_numpy(window.crop_mask(mask))[None, None].to(frame.tensor.device, torch.float32)
        return ObjectMask(cropped, window, area, window)

    def without(self, frame: PreparedFrame, found: ObjectMask, taken: np.ndarray) -> ObjectMask:
        """See :class:`View`."""
        frame.check_size(taken)
        seen = torch.from_numpy(found.window.crop_mask(taken))[None, None].to(found.mask)
        return replace(found, mask=found.mask * (1 - seen))

    def moved(self, frame: PreparedFrame, last: ObjectMask) -> ObjectMask:
        """See :class:`View`."""
        y, x = np.nonzero(last.plain > 0.5)
        seen, windows = len(x) / last.window.zoom ** 2, self.window.sized(last.window.size)
        if seen <= LOST * last.area:
            gone = last.gone + 1
            window = last.home if gone % 2 else windows.wider(last.home, WIDENING ** min(gone, WIDEST))
            return replace(last, mask=torch.zeros_like(last.mask), window=window, gone=gone, shown=1.0)
        landing = self._landing(frame, last.window)  # [h, w, 2] in the frame
        area = min(max(seen, FADING * last.area), GROWING * last.area) if last.area else seen
        window = _around(windows, landing[y, x], seen / area, frame.size)
        flow = torch.from_numpy(window.displacement_to(landing)).permute(2, 0, 1)[None]
        return ObjectMask(move_mask(last.mask, flow.to(last.mask.device)), window, area, window,
                          shown=min(1.0, seen / area), usual=last.usual)

    def pixels(self, frame: PreparedFrame, reference: ObjectMask) -> Tensor:
        """See :class:`View`."""
        seen = reference.window.crop(frame.image)
        return torch.from_numpy(seen).permute(2, 0, 1)[None].to(frame.tensor.device)

    def found(self, frame: PreparedFrame, reference: ObjectMask, mask: Tensor) -> ObjectMask:
        """See :class:`View`."""
        found = replace(reference, mask=mask)
        if not found.gone and found.usual:
            return found
        y, x = np.nonzero(found.plain > 0.5)
        share, seen = sure_share(found.plain > 0.5, found.plain) or 0.0, len(x) / found.window.zoom ** 2
        if not found.gone:
            return replace(found, usual=share)
        likely = not found.area or seen <= LARGEST * found.area
        if likely and share >= FOUND * found.usual:
            return found
        nothing = replace(found, mask=torch.zeros_like(mask))
        if not likely or seen <= LOST * found.area or found.window.zoom >= found.home.zoom:
            return nothing
        return replace(nothing, home=_around(self.window.sized(found.window.size), found.window.positions()[y, x],
                                             seen / found.area, frame.size))

    def pasted(self, frame: PreparedFrame, found: ObjectMask) -> np.ndarray:
        """See :class:`View`."""
        return found.window.paste(found.plain)

    def _landing(self, frame: PreparedFrame, window: Window) -> np.ndarray:
        """Return where the pixels of a window of the previous frame are in this frame: (h, w, 2) float32, (x, y)."""
        points = window.positions()
        if frame.flow is None:
            return points
        rows, columns = frame.flow.shape[-2:]
        scale = np.float32([columns / frame.size[1], rows / frame.size[0]])
        at = torch.from_numpy((points + 0.5) * np.float32([2 / frame.size[1], 2 / frame.size[0]]) - 1)[None]
        flow = F.grid_sample(frame.flow, at.to(frame.flow.device), padding_mode='border', align_corners=False)
        return points + flow[0].permute(1, 2, 0).cpu().numpy() / scale


def _around(windows: ObjectWindow, at: np.ndarray, shown: float, frame_size: tuple) -> Window:
    """Return the window around visible pixels, at (N, 2) as (x, y), with room for the whole object.

    They are a share of it, ``shown``; a share above 1 counts as 1.
    """
    return windows.around(box_of(at[:, 0], at[:, 1]), frame_size, zoom=min(1.0, np.sqrt(shown)))


def view_of(model: torch.nn.Module, *, shaped: bool = True) -> View:
    """Return the view that a ``TempSegGAN`` is configured for. ``shaped=False``: all windows have their ``size``."""
    if model.window is None:
        return WholeFrame()
    return FollowingWindow(model.window if shaped else replace(model.window, aspect=None))
