"""The generator's own masks as the references of a training clip, as they are in a test. Called by the model."""

import dataclasses

import torch
from torch import Tensor, nn

from tempseg_mm.ops.warp import references_from
from tempseg_mm.structures import ClipBatch


@torch.no_grad()
def with_own_references(generator: nn.Module, batch: ClipBatch, prob: float) -> ClipBatch:
    """Replace the references of some clips by what the generator makes of the frames before, moved along the flow.

    Paper note: "the network generated segmented masks are again used as reference masks". One pass without gradient and
    without dropout over all frames of the clips concerned, given the references they came with, stands for the walk
    from frame to frame of a test (paper note P16).

    Args:
        generator: frames and references to logits; left in the mode it was in.
        batch: N clips.
        prob: probability of a clip to be concerned.

    Returns:
        The batch with new ``reference_masks``; frame 0 of each clip keeps its own.
    """
    chosen = torch.nonzero(torch.rand(len(batch.frames)) < prob).flatten()  # drawn on the CPU: no device sync
    if len(chosen) == 0:
        return batch
    chosen = chosen.to(batch.frames.device, non_blocking=True)
    frames, given, flow = (part[chosen] for part in (batch.frames, batch.reference_masks, batch.flow))
    references = batch.reference_masks.clone()
    references[chosen] = references_from(_masks(generator, frames, given), given[:, :1], flow)
    return dataclasses.replace(batch, reference_masks=references)


def _masks(generator: nn.Module, frames: Tensor, references: Tensor) -> Tensor:
    was_training = generator.training
    generator.eval()
    try:
        logits = generator(frames.flatten(0, 1), references.flatten(0, 1))
    finally:
        generator.train(was_training)
    return torch.sigmoid(logits.float()).unflatten(0, frames.shape[:2])
