"""Data of a training step. Made by the data preprocessor and the model, read by every loss.

Letters: N clips, T frames per clip, C channels, H, W.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

VOID = 30.0  # logit of certain background: a probability of 1e-13


@dataclass(frozen=True)
class ClipBatch:
    """N clips of T consecutive frames, on one device.

    Attributes:
        frames: (N, T, 3, H, W) float, normalised RGB.
        gt_masks: (N, T, 1, H, W) float, 0 or 1: Y.
        reference_masks: (N, T, 1, H, W) float in [0, 1]: the generator's hint of where the object is in each frame.
        flow: (N, T-1, 2, H, W) float, pixels, (x, y), forward: ``flow[:, t]`` runs from frame t to t+1. ``None`` if
            neither a loss nor the reference masks need it.
        sequences: N names, for messages.
        frame_ids: N tuples of T frame numbers within the sequences, for messages.
        void: (N, T, 1, H, W) bool: True where the object is unknown, so that no loss counts it; ``None``: nowhere.
    """
    frames: Tensor
    gt_masks: Tensor
    reference_masks: Tensor
    flow: Tensor | None
    sequences: tuple = ()
    frame_ids: tuple = ()
    void: Tensor | None = None

    @property
    def origin(self) -> str:
        """Names and numbers of the frames as text, e.g. ``'bear 3 4 5, camel 0 1 2'``."""
        ids = self.frame_ids or ((),) * len(self.sequences)
        return ', '.join(' '.join(map(str, (name, *frames))) for name, frames in zip(self.sequences, ids, strict=True))


@dataclass(frozen=True)
class ClipPrediction:
    """Prediction of the generator for a :class:`ClipBatch`, with the discriminator's answer to it.

    Attributes:
        logits: (N, T, 1, H, W) float.
        fake_logits: (N, T) float, the discriminator's logit for each predicted mask (positive: taken for real), or
            ``None`` if no adversary takes part.
    """
    logits: Tensor
    fake_logits: Tensor | None = None

    @cached_property
    def masks(self) -> Tensor:
        """Predicted masks Ŷ, (N, T, 1, H, W), probabilities in [0, 1]; float32 even under mixed precision."""
        return torch.sigmoid(self.logits if self.logits.dtype == torch.float64 else self.logits.float())

    @cached_property
    def verdicts(self) -> Tensor | None:
        """Verdicts q, (N, T) bool, without gradient; true where D(E(Ŷ_t)) > 0.5 (P12)."""
        return None if self.fake_logits is None else self.fake_logits.detach() > 0


def without_void(prediction: ClipPrediction, batch: ClipBatch) -> tuple[ClipPrediction, ClipBatch]:
    """Make void pixels certain background in both, without gradient; without void pixels return both as they are."""
    if batch.void is None:
        return prediction, batch
    return (replace(prediction, logits=prediction.logits.masked_fill(batch.void, -VOID)),
            replace(batch, gt_masks=batch.gt_masks.masked_fill(batch.void, 0)))
