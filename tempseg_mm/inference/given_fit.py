"""Measures whether fine-tuning worked: how well a generator finds an object on the given frames, before and after.

Losses cannot show that, because each step has another augmented clip. The measurement draws no random numbers.
"""

from dataclasses import dataclass

import numpy as np
from torch import nn

from tempseg_mm.evaluation.functional.region import region_similarity
from tempseg_mm.ops.resize import Size

from .given_object import GivenObject
from .prepared_frame import frame_preparer
from .propagator import generator_propagator

MOST = 3  # masks to compare, with two forward passes each: below 3 % of the time of 60 steps
LEARNT = 0.9  # IoU from which more steps gain little; see "Objects that are hard to learn" in docs/ablations.md
POOR = 0.5  # IoU below which fine-tuning has failed; see "Whether fine-tuning worked" in docs/notices.md


@dataclass(frozen=True)
class GivenFit:
    """Mean IoU of an object on the frames with given masks.

    Attributes:
        num_masks: number of masks that show the object.
        before: IoU of the generator before fine-tuning, in [0, 1].
        after: IoU of the generator after fine-tuning, in [0, 1].
    """
    num_masks: int
    before: float
    after: float

    @property
    def masks(self) -> str:
        """The number of masks, in words."""
        return f'{self.num_masks} mask{"s" if self.num_masks > 1 else ""}'

    @property
    def gain(self) -> str:
        """The IoU before and after, in words that follow :attr:`masks`."""
        some = 'it' if self.num_masks == 1 else 'them' if self.num_masks <= MOST else f'{MOST} of them'
        return f'IoU on {some} {self.before:.2f} -> {self.after:.2f}'

    @property
    def is_learnt(self) -> bool:
        """Whether the object is found well enough on its given frames: :attr:`after` is at least 0.9."""
        return self.after >= LEARNT

    @property
    def fault(self) -> str:
        """A sentence if fine-tuning failed; otherwise empty."""
        if self.after >= POOR:
            return ''
        return (f'fine-tuning did not work: even on the frames that it learnt from, the IoU is {self.after:.2f} '
                f'({self.before:.2f} before). Check that each mask belongs to its frame. If so, try more steps or '
                'another learning rate')


def fit_on_given(model: nn.Module, given: GivenObject, before: nn.Module, after: nn.Module, *, size: Size = None
                 ) -> GivenFit:
    """Segment given frames with two generators and compare the results with the given masks.

    As in the walk, each frame gets a reference mask: here its own given mask. At most three frames are compared.

    Args:
        model: a ``TempSegGAN`` in eval mode.
        given: the object.
        before: the generator before fine-tuning, in eval mode.
        after: the generator after fine-tuning, in eval mode.
        size: working size, the same as in the walk.
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
