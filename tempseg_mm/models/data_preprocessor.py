"""From the data loader's lists to one :class:`ClipBatch`: stacked, normalised, flow once, references moved along it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from tempseg_mm.flow.base import FlowProvider
from tempseg_mm.ops.warp import references_from
from tempseg_mm.registry import MODELS, TASK_UTILS
from tempseg_mm.structures import ClipBatch

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)


@MODELS.register_module()
class VOSDataPreprocessor(BaseDataPreprocessor):
    """Called by the train loop once an iteration, before both half-steps, and by the online fine-tuner.

    Flow comes with the data, else from the provider. Each frame's reference mask is moved along it to the frame after,
    as the propagator does with the network's own masks; the first frame has a reference of its own.

    Args:
        mean: of RGB in 0..255.
        std: of RGB in 0..255.
        flow: config of an optical-flow provider; also what the propagator uses. ``None``: data must bring flow.

    Attributes:
        needs_flow: whether anything reads the flow of a batch. Set by the model, which knows its losses; without it the
            batch has none, and reference masks stay where they are.
    """

    def __init__(self, *, mean: Sequence[float] = IMAGENET_MEAN, std: Sequence[float] = IMAGENET_STD,
                 flow: dict | None = None) -> None:
        super().__init__(non_blocking=True)  # clips go to the device without waiting for what it does
        self.needs_flow = True
        self.flow = None if flow is None else TASK_UTILS.build(flow)
        self.register_buffer('mean', torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(std).view(3, 1, 1), persistent=False)

    def normalize(self, frames: Tensor) -> Tensor:
        """(..., 3, H, W) RGB 0..255, uint8 or float -> float, zero mean and unit variance."""
        return (frames - self.mean) / self.std

    def forward(self, data: dict, training: bool = False) -> ClipBatch:
        """Lists of N ``inputs`` (T, 3, H, W) uint8 and N ``data_samples`` -> a batch.

        Raises:
            ValueError: if clips differ in size, or no flow is at hand.
        """
        data = self.cast_data(data)
        clips, samples = data['inputs'], data['data_samples']
        if len({clip.shape for clip in clips}) > 1:
            raise ValueError('the clips of a batch must agree in length and size, got '
                             + ', '.join(f'{s.sequence}: {tuple(c.shape)}' for c, s in zip(clips, samples))
                             + '. Give the dataset a fixed `size=(H, W)`.')
        frames = torch.stack(clips)
        gt_masks = torch.stack([s.gt_masks for s in samples]).float()
        first = torch.stack([s.first_reference for s in samples]).float()
        flow = self._flow(frames, samples) if self.needs_flow else None
        references = torch.stack([s.reference_masks for s in samples]).float()
        if flow is not None:
            references = references_from(references, first, flow)
        return ClipBatch(
            frames=self.normalize(frames), gt_masks=gt_masks, reference_masks=references, flow=flow,
            sequences=tuple(s.sequence for s in samples),
            frame_ids=tuple(tuple(s.get('frame_ids', ())) for s in samples))

    def _flow(self, frames: Tensor, samples: Sequence) -> Tensor:
        """(N, T, 3, H, W) -> (N, T-1, 2, H, W)."""
        if all('flow' in sample for sample in samples):
            return torch.stack([s.flow for s in samples])
        flow = self.estimate_flow(frames[:, :-1].flatten(0, 1), frames[:, 1:].flatten(0, 1))
        return flow.unflatten(0, (frames.shape[0], frames.shape[1] - 1))

    @property
    def in_workers(self) -> Callable[[dict], dict] | None:
        """What workers of the data loader can do of it with each batch: the flow, where that is work for a CPU."""
        return ClipFlow(self.flow) if self.needs_flow and self.flow is not None and self.flow.on_cpu else None

    def estimate_flow(self, frames: Tensor, next_frames: Tensor) -> Tensor:
        """The provider's flow: (B, 3, H, W) RGB 0..255 twice -> (B, 2, H, W) pixels, forward.

        Raises:
            ValueError: if there is no provider.
        """
        if self.flow is None:
            raise ValueError('flow is needed here, but the data preprocessor has no provider: '
                             "set model.data_preprocessor.flow, e.g. to dict(type='DISFlow')")
        return self.flow(frames, next_frames)


@dataclass
class ClipFlow:
    """Estimates the flow of all clips of a batch where one has none, as the data preprocessor would, bit for bit.

    Args:
        provider: that of the data preprocessor.
    """
    provider: FlowProvider

    def __call__(self, data: dict) -> dict:
        """Lists of N ``inputs`` (T, 3, H, W) and N ``data_samples``, which get their ``flow`` (T-1, 2, H, W)."""
        if not all('flow' in sample for sample in data['data_samples']):
            for frames, sample in zip(data['inputs'], data['data_samples'], strict=True):
                sample.flow = self.provider(frames[:-1], frames[1:])
        return data
