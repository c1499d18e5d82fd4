"""Contract of every optical-flow provider. Called by the data preprocessor, the propagator and ``LoadFlow``."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor


class FlowProvider(ABC):
    """Estimates how each frame moves onto the next. A subclass implements :meth:`estimate` and :attr:`signature`.

    Attributes:
        on_cpu: True if the provider works on the CPU wherever the frames are. In training, the data loader's workers
            then estimate the flow, so that no step waits for it.
    """
    on_cpu: bool = False

    @torch.no_grad()
    def __call__(self, frames: Tensor, next_frames: Tensor) -> Tensor:
        """Return the forward flow of N pairs of frames.

        Args:
            frames: (N, 3, H, W) uint8 or float RGB, values 0..255, at time t. N may be 0.
            next_frames: the same at time t+1.

        Returns:
            (N, 2, H, W) float32 on the device of ``frames``, (x, y) in pixels: pixel p of ``frames`` is found at
            p + flow[p] in ``next_frames``. Without gradient.

        Raises:
            ValueError: if the two inputs differ in shape or are not (N, 3, H, W), or if the estimate has another shape
                or is not finite.
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
        if not torch.isfinite(flow.sum(dtype=torch.float64)):  # one pass; the sum of finite float32 is finite
            raise ValueError(f'{type(self).__name__} gave flow that is not finite (NaN or infinite); check its '
                             'weights and the frames')
        return flow.to(frames.device)

    @abstractmethod
    def estimate(self, frames: Tensor, next_frames: Tensor) -> Tensor:
        """Estimate flow as :meth:`__call__`, for checked input with N >= 1, in any float dtype and on any device."""

    @property
    @abstractmethod
    def signature(self) -> str:
        """Name and parameters, e.g. ``'DISFlow(preset=medium)'``. Providers that may answer differently have different
        signatures, and :class:`~tempseg_mm.flow.cached.CachedFlow` keeps their answers apart by them.
        """
