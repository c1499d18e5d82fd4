"""One adapted generator an object, each what it would be if the object were alone. Called by the inferencer."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from torch import nn

from tempseg_mm.ops.resize import Size

from .online_finetuner import OnlineFinetuner


@dataclass(frozen=True)
class GivenObject:
    """One object of the given frames, in the shape of a sequence for ``OnlineFinetuner``.

    Attributes:
        name: of the sequence. The same for all its objects: what is drawn for one does not depend on its id.
        object_id: 1 to 255.
        images: frame number -> (H, W, 3) uint8 RGB.
        labels: frame number -> (H, W) uint8 object ids.
    """
    name: str
    object_id: int
    images: Mapping[int, np.ndarray]
    labels: Mapping[int, np.ndarray]

    @property
    def frame_ids(self) -> list[int]:
        """Given frames from the first on that shows the object."""
        ids = sorted(self.labels)
        shown = [i for i in ids if (self.labels[i] == self.object_id).any()]
        return [i for i in ids if shown and i >= shown[0]]

    def frame(self, i: int) -> np.ndarray:
        """(H, W, 3) uint8 RGB."""
        return self.images[i]

    def mask(self, i: int) -> np.ndarray:
        """(H, W) uint8, 1 where the object is."""
        return (self.labels[i] == self.object_id).astype(np.uint8)


@dataclass
class AdaptedGenerator:
    """What fine-tuning on one object left: the generator, the loss before each step, and seconds."""
    generator: nn.Module
    losses: list = field(default_factory=list)
    seconds: float = 0.0


def adapt_to_object(model: nn.Module, finetuner: OnlineFinetuner, given: GivenObject, *, size: Size = None,
                    seed: int = 0, on_step: Callable[[int], None] = lambda step: None) -> AdaptedGenerator:
    """A generator adapted to one object; the model's own is what it was before.

    Args:
        model: a ``TempSegGAN``.
        finetuner: not adapted at this moment.
        given: the object.
        size: working size.
        seed: with the sequence's name it decides every random draw.
        on_step: told the number of each step when it is done, from 1.

    Raises:
        ValueError, FloatingPointError: as ``OnlineFinetuner.adapt``.
    """
    report = finetuner.adapt(model, given, size=size, seed=seed, frame_ids=given.frame_ids, on_step=on_step)
    try:
        generator = copy.deepcopy(model.generator)
    finally:
        finetuner.restore(model)
    return AdaptedGenerator(generator.eval().requires_grad_(False), report.losses, report.seconds)
