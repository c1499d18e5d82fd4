"""Turns the lists of the data loader into a :class:`ClipBatch`: stacked, normalised, with flow and moved references."""

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
    """Stacks and normalises clips, adds their flow, and moves each frame's reference mask along it to the next frame.

    Called by the train loop once per iteration, before both half-steps, and by the online fine-tuner. Flow comes with
    the data, or else from the provider. The propagator moves the network's own masks in the same way. The first frame
    has its own reference mask.

    Args:
        mean: mean of the RGB channels, in 0..255.
        std: standard deviation of the RGB channels, in 0..255.
        flow: config of an optical-flow provider, which the propagator uses too. ``None``: the data must contain flow.

    Attributes:
        needs_flow: whether anything reads the flow of a batch. The model sets it, because the model knows its losses.
            If False, batches have no flow, and reference masks are not moved.
    """

    def __init__(self, *, mean: Sequence[float] = IMAGENET_MEAN, std: Sequence[float] = IMAGENET_STD,
                 flow: dict | None = None) -> None:
        super().__init__(non_blocking=True)  # copying clips to the device does not wait for it
        self.needs_flow = True
        self.flow = None if flow is None else TASK_UTILS.build(flow)
        self.register_buffer('mean', torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(std).view(3, 1, 1), persistent=False)

    def normalize(self, frames: Tensor) -> Tensor:
        """Normalise (..., 3, H, W) RGB in 0..255, uint8 or float, to float with zero mean and unit variance."""
        return (frames - self.mean) / self.std

    def forward(self, data: dict, training: bool = False) -> ClipBatch:
        """Make a batch from lists of N ``inputs`` (T, 3, H, W) uint8 and N ``data_samples``.

        Raises:
            ValueError: if the clips differ in size, or if flow is needed and there is neither flow nor a provider.
        """
        data = self.cast_data(data)
        clips, samples = data['inputs'], data['data_samples']
        if len({clip.shape for clip in clips}) > 1:
            raise ValueError('the clips of a batch must have the same length and size, got '
                             + ', '.join(f'{s.sequence}: {tuple(c.shape)}' for c, s in zip(clips, samples))
                             + '. Give the dataset a fixed `size=(H, W)`, or ClipObjectWindow a window without '
                               '`aspect`.')
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
            frame_ids=tuple(tuple(s.get('frame_ids', ())) for s in samples), void=_void(samples))

    def _flow(self, frames: Tensor, samples: Sequence) -> Tensor:
        """Return the flow (N, T-1, 2, H, W) of frames (N, T, 3, H, W)."""
        if all('flow' in sample for sample in samples):
            return torch.stack([s.flow for s in samples])
        flow = self.estimate_flow(frames[:, :-1].flatten(0, 1), frames[:, 1:].flatten(0, 1))
        return flow.unflatten(0, (frames.shape[0], frames.shape[1] - 1))

    @property
    def in_workers(self) -> Callable[[dict], dict] | None:
        """Function by which data-loader workers add flow to a batch; ``None`` if no flow is estimated on the CPU."""
        return ClipFlow(self.flow) if self.needs_flow and self.flow is not None and self.flow.on_cpu else None

    def estimate_flow(self, frames: Tensor, next_frames: Tensor) -> Tensor:
        """Estimate the forward flow (B, 2, H, W) in pixels between two tensors (B, 3, H, W) of RGB frames in 0..255.

        Raises:
            ValueError: if there is no provider.
        """
        if self.flow is None:
            raise ValueError('optical flow is needed, but the data preprocessor has no provider. '
                             "Set model.data_preprocessor.flow, for example to dict(type='DISFlow').")
        return self.flow(frames, next_frames)


def _void(samples: Sequence) -> Tensor | None:
    if not any('void' in sample for sample in samples):
        return None
    return torch.stack([s.void if 'void' in s else torch.zeros_like(s.gt_masks) for s in samples]).bool()


@dataclass
class ClipFlow:
    """Estimates the flow of all clips of a batch, unless every clip has it, bit for bit as the data preprocessor does.

    Args:
        provider: flow provider of the data preprocessor.
    """
    provider: FlowProvider

    def __call__(self, data: dict) -> dict:
        """Add ``flow`` (T-1, 2, H, W) to each of the N ``data_samples``, from the N ``inputs`` (T, 3, H, W)."""
        if not all('flow' in sample for sample in data['data_samples']):
            for frames, sample in zip(data['inputs'], data['data_samples'], strict=True):
                sample.flow = self.provider(frames[:-1], frames[1:])
        return data
