"""Test time on one screen: adapt to the given masks, walk over all frames, refine what was found.

Called by the test loop, the inferencer, the stream, the baselines and the search for CRF settings; they only watch the
frames go by.
"""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from typing import Any

from torch import nn

from tempseg_mm.ops.resize import Size
from tempseg_mm.runtime.background import StageClock
from tempseg_mm.sources.given_sequence import GivenSequence
from tempseg_mm.structures.segmented_frame import SegmentedFrame

from .given_fit import fit_on_given
from .online_finetuner import AdaptedGenerator, GivenObject, OnlineFinetuner
from .propagator import Propagator, generator_propagator
from .resume import RunState
from .tta import TTA
from .walk import BACKWARDS, FORWARDS, Walk

CORRECTION = 1 / 3  # of the steps of fine-tuning, for what was corrected; see "Corrections" in docs/results.md


@dataclass
class Segmenter:
    """What segments a sequence::

        adapted = adapt(sequence)                  # a copy of the generator per object, fine-tuned on its given masks
        for each direction:                        # backwards from the first given mask, then forwards
            frames = walk                          # masks moved along the flow, one forward pass per object and frame
            frames = part.refine_masks(segmenter, frames)      # every refiner in order
            frame.decide()                         # labels: the given masks, or what is most probable

    Args:
        model: a ``TempSegGAN`` in eval mode; nothing in it is changed.
        size: working size of the network, or of the flow where it sees windows; see
            ``tempseg_mm.ops.resize.target_size``.
        finetuner: adapts a generator to an object; ``None``: no online fine-tuning.
        tta: test-time augmentation.
        refiners: objects with ``refine_masks(segmenter, stream)``, which takes and returns an iterator of
            ``SegmentedFrame`` in order. It may look ahead where :attr:`ahead` is set. It is called once for each
            direction in which there is something to segment.
        seed: of all random draws.
        ahead: whether frames may be asked for before those before them are answered; not so in a live stream.
        channels_last: memory layout of the adapted generators; a CPU predicts faster in it.
        parent: the generator to start from; ``None``: the model's own.
        propagate: makes what carries the masks; ``None``: the network.
    """
    model: nn.Module
    size: Size = None
    finetuner: OnlineFinetuner | None = None
    tta: TTA | None = None
    refiners: tuple = ()
    seed: int = 0
    ahead: bool = True
    channels_last: bool = False
    parent: nn.Module | None = None
    propagate: Callable[['Segmenter', GivenSequence], Propagator] | None = None

    @classmethod
    def with_hooks(cls, model: nn.Module, hooks: Iterable[Any], **settings: Any) -> 'Segmenter':
        """The segmenter that hooks make: each may set it up by ``set_up_segmenter(segmenter)`` and refine its masks.

        Args:
            model: as in the class.
            hooks: in order of priority; those without such methods do not matter.
            settings: the other arguments of the class.
        """
        segmenter = cls(model, **settings)
        for hook in hooks:
            if hasattr(hook, 'set_up_segmenter'):
                hook.set_up_segmenter(segmenter)
            if hasattr(hook, 'refine_masks'):
                segmenter.refiners = (*segmenter.refiners, hook)
        return segmenter

    @property
    def seen_size(self) -> Size:
        """The size at which frames are looked at: the working size, or as they are where the network sees windows."""
        return self.size if self.model.window is None else None

    def segment(self, sequence: GivenSequence) -> Iterator[SegmentedFrame]:
        """All of it: the frames before the first given one, the nearest first, then all in order.

        Frames that were segmented on the way back come again without probabilities and labels.
        """
        for _, frames in self.walk(sequence, self.adapt(sequence)):
            yield from frames

    def adapt(self, sequence: GivenSequence, *, state: RunState | None = None,
              on_step: Callable[[int, int], None] = lambda done, total: None) -> dict[int, AdaptedGenerator]:
        """Fine-tune on each object on its own: K objects take K times as long.

        Args:
            sequence: with the given masks.
            state: keeps what is done, and knows what was.
            on_step: told the steps that are done, and how many there are in all.

        Returns:
            Object id -> its generator.

        Raises:
            ValueError, FloatingPointError: as ``OnlineFinetuner.adapt``.
        """
        steps = dict.fromkeys(sequence.object_ids, self.finetuner.steps if self.finetuner else 0)
        return self._adapt(sequence, steps, state=state, on_step=on_step)

    def correct(self, sequence: GivenSequence, adapted: Mapping[int, AdaptedGenerator], frame_ids: Collection[int], *,
                on_step: Callable[[int, int], None] = lambda done, total: None) -> dict[int, AdaptedGenerator]:
        """Continue the fine-tuning after masks were given for more frames.

        Objects that these masks mention take :data:`CORRECTION` of the steps, every second one from these frames;
        objects that are new take all steps; the others stay as they are.

        Args:
            sequence: with all given masks.
            adapted: of :meth:`adapt` or an earlier correction.
            frame_ids: the frames that were corrected; ``sequence.labels`` has their masks.
            on_step: as in :meth:`adapt`.

        Returns:
            Object id -> its generator, of all objects.

        Raises:
            ValueError, FloatingPointError: as ``OnlineFinetuner.adapt``.
        """
        mentioned = frozenset().union(*(sequence.mentioned(i) for i in frame_ids))
        whole = self.finetuner.steps if self.finetuner else 0
        steps = {i: math.ceil(CORRECTION * whole) if i in adapted else whole for i in sequence.object_ids
                 if i not in adapted or i in mentioned}
        return self._adapt(sequence, steps, adapted=adapted, focus=frame_ids, on_step=on_step)

    def _adapt(self, sequence: GivenSequence, steps: Mapping[int, int], *,
               adapted: Mapping[int, AdaptedGenerator] | None = None, focus: Collection[int] = (),
               state: RunState | None = None, on_step: Callable[[int, int], None]) -> dict[int, AdaptedGenerator]:
        """Those of ``adapted``, and one for each object of ``steps``, from where it was adapted to or the parent."""
        parent, found = self.model.generator if self.parent is None else self.parent, dict(adapted or {})
        plain = AdaptedGenerator(parent).for_prediction(channels_last=self.channels_last)
        if self.finetuner is None or self.propagate is not None:
            return {**dict.fromkeys(steps, plain), **found}
        done = 0
        for object_id, number in steps.items():
            given, before = GivenObject(sequence, object_id), found.get(object_id)
            one = state and state.adapted.kept(object_id, self.finetuner.copy_of(parent))
            if not one:
                one = self.finetuner.adapt(
                    self.model, given, parent=before.trained if before else parent, size=self.seen_size, seed=self.seed,
                    augment=self.tta and self.tta.augment(self.finetuner.augment), steps=number,
                    focus=focus if before else (),
                    on_step=lambda step, done=done: on_step(done + step, sum(steps.values())))
                if state:
                    state.adapted.keep(object_id, one)
            one = found[object_id] = one.for_prediction(channels_last=self.channels_last)
            if one.losses:
                one.fit = fit_on_given(self.model, given, plain.generator, one.generator, size=self.size)
            done += number
        return found

    def walk(self, sequence: GivenSequence, adapted: dict[int, AdaptedGenerator], *, state: RunState | None = None,
             clock: StageClock | None = None) -> Iterator[tuple[str, Iterator[SegmentedFrame]]]:
        """Refined frames, by direction: ``'backwards'`` (there may be none), then ``'forwards'``.

        Args:
            sequence: to walk over.
            adapted: of :meth:`adapt`.
            state: knows where an earlier walk was interrupted; frames up to there come without probabilities.
            clock: told the seconds of each stage.
        """
        propagator = self.propagate(self, sequence) if self.propagate else generator_propagator(
            self.model, {object_id: found.generator for object_id, found in adapted.items()}, size=self.size,
            averaging=self.tta and self.tta.prediction)
        walk = Walk(sequence, propagator, after=state and state.snapshot, clock=clock, ahead=self.ahead)
        yield BACKWARDS, self.refine(walk.backwards())
        yield FORWARDS, self.refine(walk.forwards())

    def refine(self, frames: Iterator[SegmentedFrame]) -> Iterator[SegmentedFrame]:
        """The frames through every refiner, their labels decided; those that are known come first, as they are."""
        with ExitStack() as stack:
            stack.callback(_close, frames)
            for frame in frames:
                if frame.probabilities is not None:
                    frames = chain([frame], frames)
                    break
                yield frame
            else:
                return
            for part in self.refiners:
                frames = part.refine_masks(self, frames)
                stack.callback(_close, frames)
            for frame in frames:
                frame.decide()
                yield frame

    def close(self) -> None:
        """Stop what refiners keep running, such as worker processes; they start again when they are needed."""
        for part in self.refiners:
            _close(part)


def _close(part: Any) -> None:
    if hasattr(part, 'close'):
        part.close()
