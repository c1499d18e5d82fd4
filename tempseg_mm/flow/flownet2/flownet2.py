"""FlowNet 2.0 (Ilg et al., CVPR 2017) in plain PyTorch: five networks joined. Used by ``FlowNet2Flow``.

Names and shapes are those of the weights published with https://github.com/NVIDIA/flownet2-pytorch.
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

    The networks predict at a quarter of the size. Between C, S1 and S2 flow is enlarged bilinearly, before the fusion
    by repeating, as in the published code; without aligned corners, which is what that code does under today's PyTorch
    (it was written for one that aligned them; flow then differs by up to a third of a pixel).
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
        """Forward flow.

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
    """Each sample less its mean colour over both frames, over 255, padded.

    Args:
        pairs: (B, 3, 2, H, W) RGB 0..255, uint8 or float.
        divisor: sides of the result are multiples of it.

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
    """Flow on a grid four times as fine; vectors stay what they are."""
    return F.interpolate(flow, scale_factor=4, mode=mode, align_corners=False if mode == 'bilinear' else None)


def length(maps: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, 1, H, W): Euclidean length of the vector of channels."""
    return torch.linalg.vector_norm(maps, dim=1, keepdim=True)


def _compared(frames: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """Frame t+1 brought back onto frame t by ``flow``, (B, 3, H, W), and how far it is from it, (B, 1, H, W)."""
    frame, next_frame = frames.chunk(2, dim=1)
    warped = backward_warp(next_frame, flow)
    return warped, length(frame - warped)
