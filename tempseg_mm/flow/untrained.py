"""Flow without a trained network: Dense Inverse Search of OpenCV (the default), and zero flow."""

import cv2
import numpy as np
import torch
from torch import Tensor

from tempseg_mm.flow.base import FlowProvider
from tempseg_mm.registry import TASK_UTILS

PRESETS = dict(
    ultrafast=cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    fast=cv2.DISOPTICAL_FLOW_PRESET_FAST,
    medium=cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
MIN_SIDE = 32  # OpenCV refuses sides below 12, and a pyramid of several levels needs a little more


@TASK_UTILS.register_module()
class DISFlow(FlowProvider):
    """Optical flow by Dense Inverse Search (Kroeger et al., ECCV 2016), on grey values, on the CPU.

    Frames with a side under 32 pixels are padded by repeating their border, and the flow is cropped.

    Args:
        preset: ``'ultrafast'``, ``'fast'`` or ``'medium'``; slower presets are more exact.

    Raises:
        ValueError: for another preset.
    """
    on_cpu = True

    def __init__(self, preset: str = 'medium') -> None:
        if preset not in PRESETS:
            raise ValueError(f'preset of DISFlow must be one of {", ".join(PRESETS)}, got {preset!r}')
        self.preset = preset
        self._dis = None  # built on first use: OpenCV's object cannot be pickled for the data loader's workers

    def __getstate__(self) -> dict:
        return dict(self.__dict__, _dis=None)

    @property
    def signature(self) -> str:
        return f'DISFlow(preset={self.preset})'

    def estimate(self, frames: Tensor, next_frames: Tensor) -> Tensor:
        pairs = zip(_to_gray(frames), _to_gray(next_frames), strict=True)
        flows = [self._estimate_pair(gray, next_gray) for gray, next_gray in pairs]
        return torch.from_numpy(np.array([cv2.split(flow) for flow in flows]))  # [H,W,2] -> [N,2,H,W]

    def _estimate_pair(self, gray: np.ndarray, next_gray: np.ndarray) -> np.ndarray:
        if self._dis is None:
            self._dis = cv2.DISOpticalFlow_create(PRESETS[self.preset])
        height, width = gray.shape
        flow = self._dis.calc(_pad(gray), _pad(next_gray), None)
        return flow[:height, :width]


def _to_gray(frames: Tensor) -> list:
    """Convert (N, 3, H, W) RGB 0..255 to N arrays (H, W) uint8."""
    if frames.is_floating_point():
        frames = frames.round().clamp(0, 255)
    arrays = frames.to('cpu', torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
    return [cv2.cvtColor(array, cv2.COLOR_RGB2GRAY) for array in arrays]


def _pad(gray: np.ndarray) -> np.ndarray:
    bottom, right = (max(0, MIN_SIDE - side) for side in gray.shape)
    return cv2.copyMakeBorder(gray, 0, bottom, 0, right, cv2.BORDER_REPLICATE) if bottom or right else gray


@TASK_UTILS.register_module()
class ZeroFlow(FlowProvider):
    """Returns (N, 2, H, W) zeros: reference masks stay where they were."""

    def estimate(self, frames: Tensor, next_frames: Tensor) -> Tensor:
        return torch.zeros(len(frames), 2, *frames.shape[2:], device=frames.device)

    @property
    def signature(self) -> str:
        return 'ZeroFlow()'
