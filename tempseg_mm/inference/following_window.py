"""The view of a network that sees a window around the object, which moves with it from frame to frame."""

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tempseg_mm.ops.object_window import ObjectWindow, box_of, box_of_mask
from tempseg_mm.ops.warp import move_mask
from tempseg_mm.ops.window import Window
from tempseg_mm.registry import TASK_UTILS
from tempseg_mm.structures.segmented_frame import sure_share

from .object_mask import FADING, ObjectMask
from .prepared_frame import PreparedFrame

TASK_UTILS.register_module(module=ObjectWindow)

GROWING = 1.2  # most that the remembered area grows from frame to frame
WIDEST = 50  # frames without the object after which windows have grown enough to show the whole frame


class FollowingWindow:
    """The network sees a window that follows the object.

    The mask is moved along the flow at the resolution of the windows. Each pixel of the last window lands in the new
    window, which is placed around the moved pixels of the object::

        seen    = pixels of the mask, in the frame
        area    = seen, but at least FADING and at most GROWING times the remembered area
        window  = around the box of the moved mask, as if the object had the remembered area

    So the window does not shrink when an object hides. A small remainder of it is not followed for ever, and what hides
    it is seldom taken for it, see :class:`~tempseg_mm.ops.redetection.Redetection`. Where the network is not sure of a
    lost object in a wide window, it looks closely in the next frame. If a given mask shows only a part of an object,
    its remembered area comes from other given masks, see :func:`~.object_mask.remembered_area`. The window keeps the
    shape that suits the given mask, see :meth:`ObjectWindow.shaped <tempseg_mm.ops.object_window.ObjectWindow.shaped>`.

    Args:
        window: determines the size, the shape and the place of the windows, what beside the object is not taken for it,
            and how a lost object is found.
    """

    def __init__(self, window: ObjectWindow) -> None:
        self.window = window

    def given(self, frame: PreparedFrame, mask: np.ndarray, area: float = 0.0) -> ObjectMask:
        """See :class:`~tempseg_mm.inference.views.View`."""
        frame.check_size(mask)
        box, seen = box_of_mask(mask), float(np.count_nonzero(mask))
        area = max(seen, area)
        window = self.window.whole(frame.size) if box is None else self.window.shaped(box).around(
            box, frame.size, zoom=np.sqrt(seen / area))
        cropped = torch.from_numpy(window.crop_mask(mask))[None, None].to(frame.tensor.device, torch.float32)
        return ObjectMask(cropped, window, area, window)

    def without(self, frame: PreparedFrame, found: ObjectMask, taken: np.ndarray) -> ObjectMask:
        """See :class:`~tempseg_mm.inference.views.View`."""
        frame.check_size(taken)
        seen = torch.from_numpy(found.window.crop_mask(taken))[None, None].to(found.mask)
        return replace(found, mask=found.mask * (1 - seen))

    def moved(self, frame: PreparedFrame, last: ObjectMask) -> ObjectMask:
        """See :class:`~tempseg_mm.inference.views.View`."""
        y, x = np.nonzero(last.plain > 0.5)
        seen, windows = len(x) / last.window.zoom ** 2, self.window.sized(last.window.size)
        if self._is_lost(seen, last):
            gone = last.gone + 1
            wider = self.window.redetection.widening ** min(gone, WIDEST)
            window = last.home if gone % 2 else windows.wider(last.home, wider)
            return replace(last, mask=torch.zeros_like(last.mask), window=window, gone=gone, shown=1.0,
                           surroundings=None)
        positions = last.window.positions()  # [h, w, 2] in the frame
        landing = self._landing(frame, positions)
        area = min(max(seen, FADING * last.area), GROWING * last.area) if last.area else seen
        window = _around(windows, landing[y, x], seen / area, frame.size)
        flow = torch.from_numpy(window.displacement_to(landing)).permute(2, 0, 1)[None].to(last.mask.device)
        reference = ObjectMask(last.mask, window, area, window, shown=min(1.0, seen / area), usual=last.usual)
        if self.window.surroundings is None:
            return replace(reference, mask=move_mask(last.mask, flow))
        told = torch.zeros_like(last.mask) if last.surroundings is None else last.surroundings
        told = self.window.surroundings.belief(
            told, last.plain, positions, landing, frame_size=frame.size, size=np.sqrt(seen))
        mask, told = move_mask(torch.cat((last.mask, told), 1), flow).split(1, 1)
        return self._without_surroundings(replace(reference, mask=mask, surroundings=told))

    def pixels(self, frame: PreparedFrame, reference: ObjectMask) -> Tensor:
        """See :class:`~tempseg_mm.inference.views.View`."""
        seen = reference.window.crop(frame.image)
        return torch.from_numpy(seen).permute(2, 0, 1)[None].to(frame.tensor.device)

    def found(self, frame: PreparedFrame, reference: ObjectMask, mask: Tensor) -> ObjectMask:
        """See :class:`~tempseg_mm.inference.views.View`."""
        found = self._without_surroundings(replace(reference, mask=mask))
        if not found.gone and found.usual:
            return found
        y, x = np.nonzero(found.plain > 0.5)
        share, seen = sure_share(found.plain > 0.5, found.plain) or 0.0, len(x) / found.window.zoom ** 2
        if not found.gone:
            return replace(found, usual=share)
        likely = not found.area or seen <= self.window.redetection.largest * found.area
        if likely and share >= self.window.redetection.found * found.usual:
            return found
        nothing = replace(found, mask=torch.zeros_like(mask))
        if not likely or self._is_lost(seen, found) or found.window.zoom >= found.home.zoom:
            return nothing
        return replace(nothing, home=_around(self.window.sized(found.window.size), found.window.positions()[y, x],
                                             seen / found.area, frame.size))

    def pasted(self, frame: PreparedFrame, found: ObjectMask) -> np.ndarray:
        """See :class:`~tempseg_mm.inference.views.View`."""
        return found.window.paste(found.plain)

    def _without_surroundings(self, found: ObjectMask) -> ObjectMask:
        if found.surroundings is None:
            return found
        return replace(found, mask=found.mask * (found.surroundings <= self.window.surroundings.bound))

    def _is_lost(self, seen: float, known: ObjectMask) -> bool:
        return seen <= self.window.redetection.lost * known.area

    @staticmethod
    def _landing(frame: PreparedFrame, points: np.ndarray) -> np.ndarray:
        """Return where points of the previous frame are in this frame, both (h, w, 2) float32, (x, y)."""
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
