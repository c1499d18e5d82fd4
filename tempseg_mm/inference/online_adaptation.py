"""Continues the fine-tuning while masks are carried on, from the network's own masks where it is sure of them.

The idea is that of OnAVOS (Voigtlaender and Leibe, "Online Adaptation of Convolutional Neural Networks for Video Object
Segmentation", BMVC 2017).
"""

import copy
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from torch import nn

from tempseg_mm.models.compute import Compute
from tempseg_mm.registry import TASK_UTILS
from tempseg_mm.runtime.background import StageClock
from tempseg_mm.sources.given_sequence import GivenSequence
from tempseg_mm.structures.segmented_frame import SegmentedFrame, sure_share

from .found_alone import distractors, found_alone
from .given_object import GivenObject
from .learner import takes
from .object_mask import remembered_area
from .online_finetuner import AdaptedGenerator, OnlineFinetuner

if TYPE_CHECKING:
    from .segmenter import Segmenter

KEPT = 3  # lessons
EPS = 0.01  # of Adam and its kin
LEAST = 0.9  # share of possible pixels in the mask, relative to that in the first frame, below which nothing is sure
LITTLE = 0.1  # share of the remembered area up to which a mask teaches nothing
RANGES = dict(interval=(1, math.inf), steps=(1, math.inf), clips_per_step=(1, math.inf), sure=(0.5, 1),
              far=(0, math.inf), familiar=(0, math.inf), distractors=(0, math.inf), rate=(0, math.inf))


@dataclass(frozen=True)
class Lesson:
    """What a segmented frame teaches of an object.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) uint8, 1 where the network found the object.
        void: (H, W) uint8, 1 where it was not sure, so that nothing is learnt there.
    """
    image: np.ndarray
    mask: np.ndarray
    void: np.ndarray


@dataclass(frozen=True)
class Learnt:
    """What was learnt of an object on the way. It never changes; the next adaptation makes a new one.

    Attributes:
        adapted: the generator of the object.
        usual: how much of the object's possible pixels its mask holds in the first frame that the network segments,
            see :func:`~tempseg_mm.structures.segmented_frame.sure_share`; ``None`` before that frame.
        lessons: frame number -> :class:`Lesson`; the last ones only.
    """
    adapted: AdaptedGenerator
    usual: float | None = None
    lessons: Mapping[int, Lesson] = field(default_factory=dict)

    def state(self) -> dict:
        """Return plain types and tensors to store in a file; :meth:`from_state` reads them."""
        return dict(weights=self.adapted.trained.state_dict(), usual=self.usual, lessons={
            i: {name: torch.from_numpy(value) for name, value in vars(lesson).items()}
            for i, lesson in self.lessons.items()})

    @classmethod
    def from_state(cls, state: dict, like: nn.Module, compute: Compute) -> 'Learnt':
        """Make one from the result of :meth:`state`; ``like`` is a generator that takes the weights."""
        like.load_state_dict(state['weights'])
        return cls(AdaptedGenerator(like.eval().requires_grad_(False)).for_prediction(compute), state['usual'], {
            i: Lesson(**{name: value.numpy() for name, value in lesson.items()})
            for i, lesson in state['lessons'].items()})


class TaughtObject(GivenObject):
    """An object of the given masks, with further frames in which the network was sure of it.

    Args:
        sequence: frames and given masks.
        object_id: 1 to 255.
        lessons: frame number -> :class:`Lesson`.
    """

    def __init__(self, sequence: GivenSequence, object_id: int, lessons: Mapping[int, Lesson]) -> None:
        super().__init__(sequence, object_id)
        self.lessons = lessons

    @property
    def frame_ids(self) -> list[int]:
        """Frames whose given masks mention the object, and frames with a lesson.

        A walk after a correction starts from a mask that may be the network's own in part. So where the sequence
        remembers the masks that a person gave, these count instead.
        """
        given = self.sequence.remembered and super().areas
        return sorted({*(given or super().frame_ids), *self.lessons})

    @property
    def areas(self) -> dict[int, int]:
        """See :class:`GivenObject`."""
        return super().areas | {i: np.count_nonzero(lesson.mask) for i, lesson in self.lessons.items()}

    def frame(self, i: int) -> np.ndarray:
        """See :class:`GivenObject`."""
        return self.lessons[i].image if i in self.lessons else super().frame(i)

    def mask(self, i: int) -> np.ndarray:
        """See :class:`GivenObject`."""
        if i in self.lessons:
            return self.lessons[i].mask
        return (self.sequence.remembered.get(i, self.sequence.labels.get(i)) == self.object_id).astype(np.uint8)

    def void(self, i: int) -> np.ndarray | None:
        """See :class:`GivenObject`."""
        return self.lessons[i].void if i in self.lessons else None


@TASK_UTILS.register_module()
class OnlineAdaptation:
    """Fine-tunes each object a little further every few frames, with the settings of the fine-tuner::

        every `interval` frames, if the network is sure of the object:
            lesson   = object      where its probability is at least `sure`
                       background  further than `far` object sizes from the object
                       void        elsewhere
            lessons  = the last three
            if the network does not find the object alone, without a reference mask, with an IoU of `familiar`:
                `steps` steps of fine-tuning: every second one on a lesson, the others on given masks

    The network is sure of an object if its mask holds nearly as large a share of the pixels in which the object may be
    (:func:`~tempseg_mm.structures.segmented_frame.sure_share`) as in the first frame, and is not far smaller than the
    remembered object. A walk in either direction starts from what was learnt of the given masks. Without steps of
    fine-tuning, nothing is learnt on the way either.

    Among others of its kind an object would be confused with them, see "Adapting on the way" in docs/ablations.md. So
    nothing is learnt of it if :func:`~tempseg_mm.inference.found_alone.distractors` were beside it in the first frame
    whose mask shows it, and nothing from a frame where they are.

    Args:
        interval: number of frames from one adaptation to the next.
        steps: number of optimiser steps each time.
        clips_per_step: number of windows in a step.
        sure: probability from which a pixel is taught as object, in [0.5, 1].
        far: distance from the mask beyond which a pixel is taught as background, in object sizes (the square root of
            the mask's area).
        familiar: IoU with its own mask from which the network knows how the object looks now, so that there is nothing
            to learn; above 1: it always learns. See :func:`~tempseg_mm.inference.found_alone.found_alone`.
        distractors: area of what is beside the object and like it, in areas of the object, from which nothing is
            learnt.
        rate: learning rate, relative to that of the fine-tuner.
        optimizer: settings that replace those of the fine-tuner's optimiser, which starts again each time. Default:
            ``eps=0.01`` if it has this setting. With Adam's own ``eps``, the first steps have the length of the rate
            even where there is nothing to learn, and spoil what was learnt before.

    Raises:
        ValueError: for a setting out of range.
    """

    def __init__(self, *, interval: int = 5, steps: int = 4, clips_per_step: int = 1, sure: float = 0.97,
                 far: float = 0.25, familiar: float = 0.95, distractors: float = 1.0, rate: float = 1 / 3,
                 optimizer: dict | None = None) -> None:
        self.interval, self.steps, self.clips_per_step = interval, steps, clips_per_step
        self.sure, self.far, self.familiar, self.distractors, self.rate = sure, far, familiar, distractors, rate
        for name, (low, high) in RANGES.items():
            if not low <= getattr(self, name) <= high:
                limits = f'from {low} to {high}' if high < math.inf else f'at least {low}'
                raise ValueError(f'{name} of OnlineAdaptation must be {limits}, got {getattr(self, name)!r}')
        self.optimizer = optimizer

    def pupils(self, segmenter: 'Segmenter', sequence: GivenSequence, adapted: Mapping[int, AdaptedGenerator]
               ) -> dict[int, AdaptedGenerator]:
        """Return those objects of which something may be learnt on the way; none without fine-tuning to continue."""
        if segmenter.finetuner is None or segmenter.finetuner.steps == 0 or segmenter.propagate is not None:
            return {}
        return {object_id: found for object_id, found in adapted.items()
                if self._stood_out(segmenter, TaughtObject(sequence, object_id, {}))}

    def follow(self, segmenter: 'Segmenter', sequence: GivenSequence, pupils: Mapping[int, AdaptedGenerator],
               generators: dict[int, nn.Module], frames: Iterator[SegmentedFrame], *, clock: StageClock,
               before: Mapping[int, dict] | None = None) -> Iterator[SegmentedFrame]:
        """Pass the frames of a walk on, and adapt between them.

        Args:
            segmenter: its fine-tuner takes the steps.
            sequence: frames and given masks.
            pupils: result of :meth:`pupils`: what was learnt of the given masks; it does not change.
            generators: object id -> the generator that segments the next frame; set here.
            frames: frames of the walk, each segmented only when it is asked for.
            clock: measures the seconds of the stage 'adapt'.
            before: what an interrupted walk had learnt, object id -> :meth:`Learnt.state`.
        """
        finetuner = self.settled(segmenter.finetuner)
        learnt = {object_id: Learnt(found) for object_id, found in pupils.items()}
        for object_id, state in (before or {}).items():
            learnt[object_id] = Learnt.from_state(state, finetuner.copy_of(segmenter.model.generator),
                                                  segmenter.model.compute)
        generators.update({object_id: known.adapted.generator for object_id, known in learnt.items()})
        for frame in frames:
            if frame.answered:
                with clock('adapt'):
                    for object_id, known in learnt.items():
                        found = self._next(segmenter, finetuner, sequence, frame, object_id, known)
                        learnt[object_id], generators[object_id] = found, found.adapted.generator
            if frame.snapshot is not None:
                frame.snapshot = replace(frame.snapshot, learnt={
                    object_id: known.state() for object_id, known in learnt.items() if known.usual is not None})
            yield frame

    def settled(self, finetuner: OnlineFinetuner) -> OnlineFinetuner:
        """Return a fine-tuner for the steps on the way; the given one does not change."""
        own = self.optimizer
        if own is None:
            own = dict(eps=EPS) if takes(finetuner.optimizer, 'eps') else {}
        found = copy.copy(finetuner)
        found.clips_per_step, found.optimizer = self.clips_per_step, {**finetuner.optimizer, **own}
        if 'lr' not in own:
            if 'lr' not in finetuner.optimizer:
                raise ValueError("OnlineAdaptation takes its rate from that of the fine-tuner's optimiser, whose "
                                 'config has no lr: add it, or set optimizer=dict(lr=...) here')
            found.optimizer['lr'] = self.rate * finetuner.optimizer['lr']
        return found

    def _stood_out(self, segmenter: 'Segmenter', known: TaughtObject) -> bool:
        """Return whether nothing like the object was beside it in the first frame whose mask shows it."""
        shown = next((i for i in known.frame_ids if known.mask(i).any()), None)
        return shown is not None and self._stands_out(segmenter, known.frame(shown), known.mask(shown))

    def _stands_out(self, segmenter: 'Segmenter', image: np.ndarray, mask: np.ndarray) -> bool:
        return distractors(segmenter, segmenter.parent_or_own, image, mask) < self.distractors

    def _next(self, segmenter: 'Segmenter', finetuner: OnlineFinetuner, sequence: GivenSequence,
              frame: SegmentedFrame, object_id: int, known: Learnt) -> Learnt:
        """Return what is known of an object after a frame."""
        if known.usual is None:
            probability = frame.probabilities[frame.object_ids.index(object_id)]
            known = replace(known, usual=sure_share(probability > 0.5, probability))
        if frame.given or abs(frame.frame_id - sequence.first_given) % self.interval:
            return known
        taught = TaughtObject(sequence, object_id, known.lessons)
        lesson = self.lesson(frame, object_id, taught, usual=known.usual or 0.0)
        if lesson is None:
            return known
        lessons = dict([*known.lessons.items(), (frame.frame_id, lesson)][-KEPT:])
        if found_alone(segmenter, known.adapted.generator, lesson.image, lesson.mask) >= self.familiar:
            return replace(known, lessons=lessons)
        if not self._stands_out(segmenter, lesson.image, lesson.mask):
            return known
        found = segmenter.finetuned(TaughtObject(sequence, object_id, lessons), finetuner, steps=self.steps,
                                    parent=known.adapted.trained, focus=lessons)
        return Learnt(found.for_prediction(segmenter.model.compute), known.usual, lessons)

    def lesson(self, frame: SegmentedFrame, object_id: int, known: TaughtObject, *, usual: float) -> Lesson | None:
        """Return what a frame teaches of an object; ``None`` if the network is not sure of it.

        Args:
            frame: the frame, with the network's probabilities.
            object_id: id of the object.
            known: the object, with the lessons before.
            usual: see :class:`Learnt`.
        """
        probability = frame.probabilities[frame.object_ids.index(object_id)]
        mask = (probability > 0.5).view(np.uint8)
        seen, share = np.count_nonzero(mask), sure_share(mask, probability)
        if share is None or share < LEAST * usual or seen <= LITTLE * remembered_area(known.areas, frame.frame_id):
            return None
        distance = cv2.distanceTransform(1 - mask, cv2.DIST_L2, cv2.DIST_MASK_5)
        taught = np.where(mask, probability >= self.sure, distance > self.far * np.sqrt(seen))
        return Lesson(frame.image, mask, (~taught).view(np.uint8))
