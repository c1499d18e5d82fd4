"""FlowNet 2.0 (Ilg et al., CVPR 2017) in plain PyTorch: five networks joined. Used by ``FlowNet2Flow``.

Names and shapes match the weights published with https://github.com/NVIDIA/flownet2-pytorch.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tempseg_mm.ops.resize import pad_to_multiple
from tempseg_mm.ops.warp import backward_warp

from .blocks import FLOW_SCALE
from .subnetworks import FlowNetC, FlowNetS, FlowNetSD, FusionNet


class FlowNet2(nn.Module):
    """Optical flow of pairs of frames of any size::

        frames ─┬─► C ──► S1 ──► S2 ──┐        each S corrects the flow before it, given the next frame warped by it
                │                     ├─► fusion ─► flow
                └─► SD ───────────────┘        small displacements

    The networks predict at a quarter of the size. Flow is enlarged bilinearly between C, S1 and S2, and by repetition
    before the fusion, as in the published code. Corners are not aligned, which is how that code behaves under today's
    PyTorch; it was written for a version that aligned them, and its flow then differed by up to a third of a pixel.
    """

    divisor = 64
    prefix = ''

    def __init__(self) -> None:
        super().__init__()
        self.flownetc = FlowNetC()
        self.flownets_1 = FlowNetS(12)
        self.flownets_2 = FlowNetS(12)
        self.flownets_d = FlowNetSD()
        self.flownetfusion = FusionNet()

    def forward(self, pairs: Tensor) -> Tensor:
        """Return the forward flow.

        Args:
            pairs: (B, 3, 2, H, W) RGB 0..255, uint8 or float, frames t and t+1.

        Returns:
            (B, 2, H, W), (x, y) in pixels.

        Raises:
            ValueError: for another shape.
        """
        height, width = pairs.shape[-2:]
        frames = normalized(pairs, self.divisor)  # [B, 6, H', W']
        flow = enlarged(self.flownetc(frames) * FLOW_SCALE)
        for network in (self.flownets_1, self.flownets_2):
            warped, fault = _compared(frames, flow)
            flow = network(torch.cat([frames, warped, flow / FLOW_SCALE, fault], dim=1)) * FLOW_SCALE
            flow = enlarged(flow, 'bilinear' if network is self.flownets_1 else 'nearest')
        small = enlarged(self.flownets_d(frames) / FLOW_SCALE, 'nearest')
        flow = self.flownetfusion(torch.cat([
            frames[:, :3], small, flow, length(small), length(flow), _compared(frames, small)[1],
            _compared(frames, flow)[1]], dim=1))
        return flow[..., :height, :width]


def normalized(pairs: Tensor, divisor: int) -> Tensor:
    """Subtract the mean colour over both frames from each sample, divide by 255, and pad.

    Args:
        pairs: (B, 3, 2, H, W) RGB 0..255, uint8 or float.
        divisor: both sides of the result are multiples of it.

    Returns:
        (B, 6, H', W'): RGB of frame t, then of t+1.

    Raises:
        ValueError: for another shape.
    """
    if pairs.dim() != 5 or pairs.shape[1:3] != (3, 2):
        raise ValueError(f'FlowNet 2.0 takes pairs of frames as (B, 3, 2, H, W), got {tuple(pairs.shape)}')
    pairs = pairs if pairs.is_floating_point() else pairs.float()
    pairs = (pairs - pairs.mean(dim=(2, 3, 4), keepdim=True)) / 255
    return pad_to_multiple(pairs.transpose(1, 2).flatten(1, 2), divisor)  # [B, 3, 2, H, W] -> [B, 6, H, W]


def enlarged(flow: Tensor, mode: str = 'bilinear') -> Tensor:
    """Resample flow to a grid four times as fine; the vectors stay as they are."""
    return F.interpolate(flow, scale_factor=4, mode=mode, align_corners=False if mode == 'bilinear' else None)


def length(maps: Tensor) -> Tensor:
    """Return the Euclidean length of the vector of channels: (B, C, H, W) -> (B, 1, H, W)."""
    return torch.linalg.vector_norm(maps, dim=1, keepdim=True)


def _compared(frames: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """Return frame t+1 warped back onto frame t, (B, 3, H, W), and its distance from frame t, (B, 1, H, W)."""
    frame, next_frame = frames.chunk(2, dim=1)
    warped = backward_warp(next_frame, flow)
    return warped, length(frame - warped)
