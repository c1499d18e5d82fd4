"""Walk one sequence with any propagation: frames are read, segmented and handed on one at a time."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tempseg_mm.structures import FramePrediction

from .propagator import MaskPropagation


def given_mask(sequence: Any, frame_id: int) -> np.ndarray:
    """The (H, W) mask of a frame whose annotation is given to the method.

    Raises:
        ValueError: if the frame has no annotation, or frame 0's annotation has no object.
    """
    mask = sequence.mask(frame_id)
    if mask is None:
        raise ValueError(f'sequence {sequence.name}: the mask of frame {frame_id} is to be given, but that frame is '
                         'not annotated. Annotate it, or lower the number of given frames.')
    if frame_id == 0 and not mask.any():
        raise ValueError(f'sequence {sequence.name}: the mask of frame 0 has no object, so there is nothing to segment')
    return mask


def segment_sequence(sequence: Any, propagation: MaskPropagation, *, num_given_frames: int = 2
                     ) -> Iterator[FramePrediction]:
    """Every frame of a sequence in order, at its original size. Holds one frame at a time.

    The mask of frame 0 is given and passed on as it is. Further given masks correct the reference for the frames after
    them, yet what is passed on for their own frames is the propagation's answer: nothing that was given is scored.

    Args:
        sequence: a ``VOSSequence``.
        propagation: what carries the mask.
        num_given_frames: how many of the first frames come with their mask.
    """
    for i in range(len(sequence)):
        image = sequence.frame(i)
        gt_mask = given_mask(sequence, i) if i < max(1, num_given_frames) else sequence.mask(i)
        if i == 0:
            propagation.start(image, gt_mask)
            probability = gt_mask.astype('float32')
        else:
            probability = propagation.step(image)
            if i < num_given_frames:
                propagation.correct(gt_mask)
        yield FramePrediction(
            sequence=sequence.name, frame_id=i, num_frames=len(sequence), file_name=sequence.file_name(i), image=image,
            probability=probability, given=i == 0, gt_mask=gt_mask)
