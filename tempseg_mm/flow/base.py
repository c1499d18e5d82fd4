"""The contract of every optical-flow provider. Called by the data preprocessor, the propagator and ``LoadFlow``."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor


class FlowProvider(ABC):
    """Estimates how each frame moves onto the next. A subclass implements :meth:`estimate` and :attr:`signature`.

    Attributes:
        on_cpu: whether it works on the CPU wherever the frames are. In training the workers of the data loader then
            estimate the flow, so that no step waits for it.
    """
    on_cpu: bool = False

    @torch.no_grad()
    def __call__(self, frames: Tensor, next_frames: Tensor) -> Tensor:
        """Forward flow of N pairs of frames.

        Args:
            frames: (N, 3, H, W) uint8 or float RGB, values 0..255, at time t. N may be 0.
            next_frames: the same at time t+1.

        Returns:
            (N, 2, H, W) float32 on the device of ``frames``, (x, y) in pixels: pixel p of ``frames`` is found at
            p + flow[p] in ``next_frames``. Without gradient.

        Raises:
            ValueError: if the two inputs differ in shape or are not (N, 3, H, W), or if the estimate is misshapen or
                not finite.
        """
        if frames.ndim != 4 or frames.shape[1] != 3 or frames.shape != next_frames.shape:
            raise ValueError(f'{type(self).__name__} needs two tensors of one shape (N, 3, H, W), got '
                             f'{tuple(frames.shape)} and {tuple(next_frames.shape)}')
        shape = (len(frames), 2, *frames.shape[2:])
        if len(frames) == 0:
            return torch.zeros(shape, device=frames.device)
        flow = self.estimate(frames, next_frames).float()
        if flow.shape != shape:
            raise ValueError(f'{type(self).__name__}.estimate must return {shape}, got {tuple(flow.shape)}')
        if not torch.isfinite(flow).all():
            raise ValueError(f'{type(self).__name__} gave flow that is not finite (NaN or infinite); look at its '
                             'weights and at the frames')
        return flow.to(frames.device)

    @abstractmethod
    def estimate(self, frames: Tensor, next_frames: Tensor) -> Tensor:
        """As :meth:`__call__`, on checked input with N >= 1; any float dtype and device may be returned."""

    @property
    @abstractmethod
    def signature(self) -> str:
        """Name and parameters, e.g. ``'DISFlow(preset=medium)'``: two providers that may answer differently differ
        in it. :class:`~tempseg_mm.flow.cached.CachedFlow` keeps their answers apart by it."""
