"""From the data loader's lists to one :class:`ClipBatch`: stacked, normalised, flow once, references moved along it."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

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
    """

    def __init__(self, *, mean: Sequence[float] = IMAGENET_MEAN, std: Sequence[float] = IMAGENET_STD,
                 flow: dict | None = None) -> None:
        super().__init__()
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
        flow = self._flow(frames, samples)
        references = references_from(torch.stack([s.reference_masks for s in samples]).float(), first, flow)
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

    def estimate_flow(self, frames: Tensor, next_frames: Tensor) -> Tensor:
        """The provider's flow: (B, 3, H, W) RGB 0..255 twice -> (B, 2, H, W) pixels, forward.

        Raises:
            ValueError: if there is no provider.
        """
        if self.flow is None:
            raise ValueError('flow is needed here, but the data preprocessor has no provider: '
                             "set model.data_preprocessor.flow, e.g. to dict(type='DISFlow')")
        return self.flow(frames, next_frames)
