"""Segments a sequence at test time: adapts to the given masks, walks over all frames, refines the masks.

The test loop, the inferencer, the stream, the baselines and the search for CRF settings use it. They only read the
frames that it yields.
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
from .given_object import GivenObject
from .online_adaptation import OnlineAdaptation
from .online_finetuner import AdaptedGenerator, OnlineFinetuner
from .propagator import Propagator, generator_propagator
from .resume import RunState
from .tta import TTA
from .walk import BACKWARDS, FORWARDS, Walk

CORRECTION = 1 / 2  # share of the fine-tuning steps that a correction takes; see "Corrections" in docs/ablations.md


@dataclass
class Segmenter:
    """Segments a sequence in these steps::

        adapted = adapt(sequence)                  # a copy of the generator per object, fine-tuned on its given masks
        for each direction:                        # backwards from the first given mask, then forwards
            frames = walk                          # masks moved along the flow, one forward pass per object and frame
            frames = adaptation.follow(frames)     # if there is one: learns on between the frames
            frames = part.refine_masks(segmenter, frames)      # every refiner in order
            frame.decide()                         # labels: the given masks, or what is most probable

    Args:
        model: a ``TempSegGAN`` in eval mode; it does not change.
        size: working size of the network, or only of the flow if the network sees windows; see
            ``tempseg_mm.ops.resize.target_size``.
        finetuner: adapts a generator to an object; ``None``: no online fine-tuning.
        adaptation: continues the fine-tuning on the way; ``None``: no adaptation.
        tta: test-time augmentation.
        refiners: objects with ``refine_masks(segmenter, stream)``, which takes and returns an iterator of
            ``SegmentedFrame`` in order. It may look ahead if :attr:`ahead` is True. It is called once for each
            direction that has frames to segment.
        seed: seed of all random draws.
        ahead: whether later frames may be read before a frame is answered; False in a live stream.
        parent: the generator to start from; ``None``: the model's own.
        propagate: function that makes the propagator of the masks; ``None``: the network propagates them.
    """
    model: nn.Module
    size: Size = None
    finetuner: OnlineFinetuner | None = None
    adaptation: OnlineAdaptation | None = None
    tta: TTA | None = None
    refiners: tuple = ()
    seed: int = 0
    ahead: bool = True
    parent: nn.Module | None = None
    propagate: Callable[['Segmenter', GivenSequence], Propagator] | None = None

    @classmethod
    def with_hooks(cls, model: nn.Module, hooks: Iterable[Any], **settings: Any) -> 'Segmenter':
        """Build a segmenter and let each hook set it up.

        A hook may define ``set_up_segmenter(segmenter)`` and ``refine_masks``.

        Args:
            model: a ``TempSegGAN`` in eval mode.
            hooks: hooks in order of priority; hooks without these methods are ignored.
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
        """Working size for fine-tuning; ``None``, the original size of the frames, if the network sees windows."""
        return self.size if self.model.window is None else None

    @property
    def parent_or_own(self) -> nn.Module:
        """The generator that fine-tuning starts from: :attr:`parent`, or the model's own."""
        return self.model.generator if self.parent is None else self.parent

    def segment(self, sequence: GivenSequence) -> Iterator[SegmentedFrame]:
        """Adapt, then yield every frame: first backwards from the first given frame, then forwards from the start.

        Frames that were segmented on the way back come again without probabilities and labels.
        """
        for _, frames in self.walk(sequence, self.adapt(sequence)):
            yield from frames

    def adapt(self, sequence: GivenSequence, *, state: RunState | None = None,
              on_step: Callable[[int, int], None] = lambda done, total: None) -> dict[int, AdaptedGenerator]:
        """Fine-tune on each object separately: K objects take K times as long, and one that is hard to learn longer.

        Args:
            sequence: frames and given masks.
            state: stores each finished object; objects that it holds already are not fine-tuned again.
            on_step: is called after each step with the number of finished steps and the number of all steps, which
                grows with each object that needs more than the usual ones.

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

        Objects that these masks mention take :data:`CORRECTION` of the steps, and every second step uses these frames.
        New objects take all steps. The other objects do not change.

        Args:
            sequence: frames with all given masks.
            adapted: result of :meth:`adapt` or of an earlier correction.
            frame_ids: the frames that were corrected; ``sequence.labels`` holds their masks.
            on_step: as in :meth:`adapt`.

        Returns:
            Object id -> its generator, for all objects.

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
        """Return ``adapted``, updated for each object of ``steps``, starting from its own generator or the parent."""
        parent, found, steps = self.parent_or_own, dict(adapted or {}), dict(steps)
        plain = AdaptedGenerator(parent).for_prediction(self.model.compute)
        if self.finetuner is None or self.propagate is not None:
            return {**dict.fromkeys(steps, plain), **found}
        done = 0

        def told(step: int) -> None:
            on_step(done + step, sum(steps.values()))

        for object_id, number in list(steps.items()):
            given, before = GivenObject(sequence, object_id), found.get(object_id)
            one = state and state.adapted.kept(object_id, self.finetuner.copy_of(parent))
            if one:
                found[object_id], done = self._measured(given, plain, one), done + number
                continue
            one = self._measured(given, plain, self.finetuned(
                given, self.finetuner, parent=before.trained if before else parent, steps=number,
                focus=focus if before else (), on_step=told))
            done += number
            while not before and (more := self._steps_on_top(one)):
                steps[object_id] += more
                again = GivenObject(sequence, object_id, f'{sequence.name}, step {len(one.losses) + 1}')
                one = one.followed_by(self._measured(given, plain, self.finetuned(
                    again, self.finetuner, parent=one.trained, steps=more, on_step=told)))
                done += more
            if state:
                state.adapted.keep(object_id, one)
            found[object_id] = one
        return found

    def _steps_on_top(self, one: AdaptedGenerator) -> int:
        """Return how many steps to take next; 0 if the object is learnt or has had the most."""
        left = self.finetuner.most_steps - len(one.losses)
        return min(self.finetuner.steps, left) if one.losses and left > 0 and not one.fit.is_learnt else 0

    def _measured(self, given: GivenObject, plain: AdaptedGenerator, one: AdaptedGenerator) -> AdaptedGenerator:
        """Return the result of fine-tuning for prediction, with its fit; ``plain`` is how it began."""
        one = one.for_prediction(self.model.compute)
        if one.losses and one.fit is None:
            one.fit = fit_on_given(self.model, given, plain.generator, one.generator, size=self.size)
        return one

    def finetuned(self, given: GivenObject, finetuner: OnlineFinetuner, *, parent: nn.Module, steps: int,
                  focus: Collection[int] = (), on_step: Callable[[int], None] = lambda step: None) -> AdaptedGenerator:
        """Fine-tune a copy of ``parent`` on an object, with the size, the seed and the augmentation of this segmenter.

        The arguments are those of ``OnlineFinetuner.adapt``.
        """
        return finetuner.adapt(
            self.model, given, parent=parent, size=self.seen_size, seed=self.seed,
            augment=self.tta and self.tta.augment(finetuner.augment), steps=steps, focus=focus, on_step=on_step)

    def walk(self, sequence: GivenSequence, adapted: dict[int, AdaptedGenerator], *, state: RunState | None = None,
             clock: StageClock | None = None) -> Iterator[tuple[str, Iterator[SegmentedFrame]]]:
        """Yield two pairs of direction and refined frames: ``'backwards'``, which may be empty, then ``'forwards'``.

        Args:
            sequence: the sequence to walk over.
            adapted: result of :meth:`adapt`.
            state: tells where an earlier walk was interrupted; frames up to there come without probabilities.
            clock: measures the seconds of each stage.
        """
        generators, clock = {object_id: found.generator for object_id, found in adapted.items()}, clock or StageClock()
        propagator = self.propagate(self, sequence) if self.propagate else generator_propagator(
            self.model, generators, size=self.size, averaging=self.tta and self.tta.prediction)
        walk = Walk(sequence, propagator, after=state and state.snapshot, clock=clock, ahead=self.ahead)
        pupils = self.adaptation.pupils(self, sequence, adapted) if self.adaptation else {}
        for direction, frames in ((BACKWARDS, walk.backwards()), (FORWARDS, walk.forwards())):
            if pupils:
                frames = self.adaptation.follow(self, sequence, pupils, generators, frames, clock=clock,
                                                before=walk.after and walk.after.learnt_in(direction))
            yield direction, self.refine(frames)

    def refine(self, frames: Iterator[SegmentedFrame]) -> Iterator[SegmentedFrame]:
        """Pass frames through every refiner and decide their labels. Leading frames without probabilities are kept."""
        with ExitStack() as stack:
            stack.callback(_close, frames)
            for frame in frames:
                if frame.probabilities is not None:
                    frames = chain([frame], frames)
                    break
                yield frame
            else:
                return
            if self.refiners:
                frames = map(_with_unrefined, frames)
            for part in self.refiners:
                frames = part.refine_masks(self, frames)
                stack.callback(_close, frames)
            for frame in frames:
                frame.decide()
                yield frame

    def close(self) -> None:
        """Stop the worker processes of the refiners. They start again when they are needed."""
        for part in self.refiners:
            _close(part)


def _with_unrefined(frame: SegmentedFrame) -> SegmentedFrame:
    frame.unrefined = frame.probabilities
    return frame


def _close(part: Any) -> None:
    if hasattr(part, 'close'):
        part.close()
