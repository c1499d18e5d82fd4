"""The flow of a world that stands still: for ablations and tests."""

import torch
from torch import Tensor

from tempseg_mm.registry import TASK_UTILS

from .base import FlowProvider


@TASK_UTILS.register_module()
class ZeroFlow(FlowProvider):
    """Answers (N, 2, H, W) zeros: reference masks stay where they were."""

    def estimate(self, frames: Tensor, next_frames: Tensor) -> Tensor:
        return torch.zeros(len(frames), 2, *frames.shape[2:], device=frames.device)

    @property
    def signature(self) -> str:
        return 'ZeroFlow()'
