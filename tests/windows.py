"""Frames, masks and answers of a network for tests of windows that follow an object."""

from dataclasses import replace

import cv2
import numpy as np
import torch

from tempseg_mm.inference.following_window import FollowingWindow
from tempseg_mm.inference.prepared_frame import PreparedFrame
from tempseg_mm.ops.object_window import ObjectWindow

FRAME = (120, 160)


def following(**settings):
    """A view through windows of 48 x 64."""
    return FollowingWindow(ObjectWindow((48, 64), 0.5, **settings))


def disc(centre, radius, size=FRAME):
    return cv2.circle(np.zeros(size, np.uint8), centre, radius, 1, cv2.FILLED)


def frame_with(flow=None, size=FRAME, scale=1.0):
    """A prepared frame whose content plays no part; ``flow`` (x, y) in pixels of the frame, everywhere the same."""
    small = tuple(int(scale * side) for side in size)
    if flow is not None:
        flow = torch.tensor(flow).mul(scale).view(1, 2, 1, 1).expand(1, 2, *small)
    return PreparedFrame(size, torch.zeros(1, 3, *small, dtype=torch.uint8), flow, np.zeros((*size, 3), np.uint8))


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def part_of(found, rows, columns):
    """What is left of a mask within some rows and columns of its window."""
    rest = torch.zeros_like(found.mask)
    rest[..., rows, columns] = found.mask[..., rows, columns]
    return replace(found, mask=rest)


def answer(window, mask, inside=1.0, around=0.0):
    """What a network could find in a window: one probability where the mask is, another in a margin around it."""
    margin = cv2.dilate(mask, np.ones((5, 5), np.uint8)) - mask
    shown = [torch.from_numpy(window.crop_mask(part))[None, None].float() for part in (mask, margin)]
    return inside * shown[0] + around * shown[1]


def followed(view, mask):
    """What is known after a frame in which the network found all of a given mask, and nothing else."""
    reference = view.given(frame_with(), mask)
    return view.found(frame_with(), reference, reference.mask)
