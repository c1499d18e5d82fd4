"""Whether fine-tuning worked: how well a generator finds an object on the frames that it learnt from, before and after.

Losses do not tell that: each is that of another augmented clip. Called by ``Segmenter``; draws no random numbers.
"""

from dataclasses import dataclass

import numpy as np
from torch import nn

from tempseg_mm.evaluation.functional.region import region_similarity
from tempseg_mm.ops.resize import Size

from .given_object import GivenObject
from .prepared_frame import frame_preparer
from .propagator import generator_propagator

MOST = 3  # masks that are looked at: a forward pass each, twice; below 3 % of the time of 60 steps
POOR = 0.5  # IoU below which fine-tuning did not work; see "Whether fine-tuning worked" in docs/results.md


@dataclass(frozen=True)
class GivenFit:
    """Mean IoU of an object on the frames whose masks were given.

    Attributes:
        num_masks: how many masks show the object.
        before: in [0, 1], of the generator that fine-tuning starts from.
        after: of the one that it ends with.
    """
    num_masks: int
    before: float
    after: float

    @property
    def masks(self) -> str:
        """How many masks, in words."""
        return f'{self.num_masks} mask{"s" if self.num_masks > 1 else ""}'

    @property
    def gain(self) -> str:
        """Before and after, in words that follow :attr:`masks`."""
        some = 'it' if self.num_masks == 1 else 'them' if self.num_masks <= MOST else f'{MOST} of them'
        return f'IoU on {some} {self.before:.2f} -> {self.after:.2f}'

    @property
    def fault(self) -> str:
        """A sentence where fine-tuning did not work; else nothing."""
        if self.after >= POOR:
            return ''
        return (f'fine-tuning did not work: even on the frames that it learnt from the IoU is {self.after:.2f} '
                f'({self.before:.2f} before). Check that each mask is that of its frame; if so, take more steps or '
                'another learning rate')


def fit_on_given(model: nn.Module, given: GivenObject, before: nn.Module, after: nn.Module, *, size: Size = None
                 ) -> GivenFit:
    """Let two generators segment given frames, each with its own mask as the reference, as the walk would.

    Args:
        model: a ``TempSegGAN`` in eval mode.
        given: the object.
        before: the generator that fine-tuning started from, in eval mode.
        after: the one that it ended with.
        size: working size, as the walk has it.
    """
    shown = [i for i in given.frame_ids if given.mask(i).any()]
    picked = [shown[k] for k in np.linspace(0, len(shown) - 1, min(MOST, len(shown))).round().astype(int)]
    preparer = frame_preparer(model, size=size)
    propagators = [generator_propagator(model, {1: generator}, size=size) for generator in (before, after)]
    found = []
    for i in picked:
        frame, mask = preparer.first(given.frame(i)), given.mask(i)
        for propagator in propagators:
            propagator.start(frame, mask)
        found.append([region_similarity(propagator.step(frame)[0] > 0.5, mask) for propagator in propagators])
    return GivenFit(len(shown), *np.mean(found, axis=0).tolist())
