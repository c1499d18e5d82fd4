"""Online fine-tuning: a copy of the generator learns one object from the frames with given masks."""

import copy
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

import numpy as np
import torch
from mmengine.dataset import Compose
from torch import Tensor, nn

from tempseg_mm.models.compute import Compute
from tempseg_mm.ops.resize import Size, resize_image, resize_mask, target_size
from tempseg_mm.registry import TASK_UTILS, TRANSFORMS
from tempseg_mm.runtime.random_state import own_randomness

from .finetuning_steps import (
    TailAverage,
    drawn_ahead,
    folded,
    in_turn,
    parameters_called,
    side_by_side,
    trained_alone,
)
from .given_fit import GivenFit
from .given_object import GivenObject
from .learner import Learner

CLIP = 2  # frames per clip
RECORDED_FROM = 10  # number of steps from which a GPU records one of them, the fourth, to repeat it
MODES = 'eval', 'folded', 'train'


@dataclass
class AdaptedGenerator:
    """The result of fine-tuning on one object.

    Attributes:
        generator: the copy, for prediction.
        losses: the combined loss before each step. Each step has another augmented clip.
        seconds: duration of the steps.
        fit: how much the steps gained on the given frames; ``None`` without steps.
        trained: the copy as the steps left it, from which a correction starts; ``None`` if :attr:`generator` is that.
    """
    generator: nn.Module
    losses: list = field(default_factory=list)
    seconds: float = 0.0
    fit: GivenFit | None = None
    trained: nn.Module | None = None

    @property
    def summary(self) -> str:
        """Steps, seconds and gain in words; empty without steps."""
        if self.fit is None:
            return ''
        return f'fine-tuned on {self.fit.masks}, {len(self.losses)} steps in {self.seconds:.1f} s, {self.fit.gain}'

    def followed_by(self, later: 'AdaptedGenerator') -> 'AdaptedGenerator':
        """Return ``later``, which continued from this one, with the steps and the seconds of both."""
        return replace(later, losses=[*self.losses, *later.losses], seconds=self.seconds + later.seconds)

    def for_prediction(self, compute: Compute) -> 'AdaptedGenerator':
        """Return a copy with the same output up to rounding, in half the time on a CPU.

        Batch normalisation is folded into the preceding convolutions.

        Args:
            compute: memory layout of the weights.
        """
        generator = compute.laid_out(folded(self.generator), prediction=True)
        return replace(self, generator=generator, trained=self.trained or self.generator)


def summary_of(adapted: Mapping[int, AdaptedGenerator]) -> str:
    """Describe the steps, the seconds and the gain for all objects of a sequence in words; empty without steps."""
    fitted = [found for found in adapted.values() if found.fit]
    if len(fitted) < 2:
        return ''.join(found.summary for found in fitted)
    before, after = (sum(values) / len(fitted) for values in zip(
        *((found.fit.before, found.fit.after) for found in fitted), strict=True))
    return (f'fine-tuned on {len(fitted)} objects, {sum(len(found.losses) for found in fitted)} steps in '
            f'{sum(found.seconds for found in fitted):.1f} s, IoU on their masks {before:.2f} -> {after:.2f}')


def faults_of(adapted: Mapping[int, AdaptedGenerator]) -> list[str]:
    """Return one sentence, with the object id, for each object on which fine-tuning failed."""
    return [f'Object {object_id}: {found.fit.fault}.' for object_id, found in adapted.items()
            if found.fit and found.fit.fault]


@TASK_UTILS.register_module()
class OnlineFinetuner:
    """Trains a copy of G, but no adversary, on the given frames with the combined loss (paper note P15).

    Paper note: two given frames, so that the temporal losses are defined on the pair 0 -> 1. With one (the common
    one-shot protocol) they see it twice, without motion.

    Args:
        steps: number of optimiser steps. Two numbers, such as ``(40, 120)``: a ``Segmenter`` takes 40 at a time until
            the network finds the object on its given frames (``GivenFit.is_learnt``), at most 120. Each time, the
            optimiser starts again.
        clips_per_step: number of differently augmented copies of the clip in one step. On a CPU they run in parallel,
            at most as many at once as torch has threads.
        optimizer: config of the optimiser; default: Adam with learning rate 1e-3.
        augment: transforms of the clip, drawn again for each copy. They get ``frames``, ``gt_masks`` and ``flow``. The
            paper calls this test-time augmentation; ``TTAHook`` switches it (paper note P18).
        pipeline: transforms that follow, ending in ``PackClip``. With reference masks it should deform them; otherwise
            the network learns to copy them.
        leave_out: names of generator losses to leave out, e.g. ``['adv']``, because D has never seen this sequence.
            Losses that the config of the model sets to ``None`` may be named too.
        mode: mode of the generator. ``'eval'``: batch normalisation keeps its running statistics, which two frames
            would spoil, and there is no dropout. ``'folded'``: as ``'eval'``, but batch normalisation is first folded
            into the preceding convolutions, and these are adapted. A step is then a sixth cheaper, and fewer steps
            suffice, at a fifth of the learning rate or less. ``'train'``: statistics of the clip itself, and dropout.
        only: names of the parameters of G to adapt, or of sub-modules such as ``'decoder'`` or
            ``'decoder.to_logits'``; ``'norm'`` names all normalisation layers. Empty: all trainable parameters.
        average: share of the steps, counted from the end, whose weights are averaged, in [0, 1]; see
            :class:`TailAverage`. 0: the weights of the last step.

    Attributes:
        steps: the number of steps at a time.
        most_steps: the largest number of steps for an object.

    Raises:
        ValueError: if ``steps``, ``clips_per_step`` or ``average`` is out of range, or ``mode`` is unknown.
    """

    def __init__(self, *, steps: int | Sequence[int] = 100, clips_per_step: int = 1,
                 optimizer: dict | None = None, augment: Sequence[dict] = (),
                 pipeline: Sequence[dict] = (dict(type='PackClip'),), leave_out: Sequence[str] = (),
                 mode: str = 'eval', only: str | Sequence[str] = (), average: float = 0.0) -> None:
        usual, *most = (steps if isinstance(steps, Sequence) else (steps,)) or (-1,)
        if usual < 0 or len(most) > 1 or min(most, default=usual) < usual:
            raise ValueError('steps must be a number >= 0, or two: (at a time, at most). The second must not be '
                             f'smaller. Got {steps!r}')
        if clips_per_step < 1:
            raise ValueError(f'clips_per_step must be >= 1, got {clips_per_step}')
        if not 0 <= average <= 1:
            raise ValueError(f'average must be a share in [0, 1], got {average}')
        if mode not in MODES:
            raise ValueError(f'mode must be one of {", ".join(MODES)}, got {mode!r}')
        self.steps, self.most_steps = usual, max([usual, *most])
        self.clips_per_step = clips_per_step
        self.optimizer = optimizer or dict(type='Adam', lr=1e-3)
        self.augment = Compose([TRANSFORMS.build(dict(t)) for t in augment])
        self.pipeline = Compose([TRANSFORMS.build(dict(t)) for t in pipeline])
        self.leave_out = tuple(leave_out)
        self.mode = mode
        self.only = (only,) if isinstance(only, str) else tuple(only)
        self.average = average

    def limit(self, steps: int) -> None:
        """Give every object this number of steps, however well it is learnt."""
        self.steps = self.most_steps = steps

    def copy_of(self, generator: nn.Module) -> nn.Module:
        """Return the copy from which adapting starts; with ``mode='folded'`` it has no batch normalisation."""
        return folded(generator) if self.mode == 'folded' else copy.deepcopy(generator)

    def adapt(self, model: nn.Module, given: GivenObject, *, parent: nn.Module | None = None, size: Size = None,
              seed: int = 0, augment: Compose | None = None, steps: int | None = None, focus: Collection[int] = (),
              on_step: Callable[[int], None] = lambda step: None) -> AdaptedGenerator:
        """Fine-tune a copy of the generator on the given frames of an object. The model does not change.

        Consecutive frames form a clip; a single frame forms a clip without motion. If no loss compares frames, each
        frame is its own clip, and a step costs half as much. The steps take the clips in turn.

        Args:
            model: a ``TempSegGAN``.
            given: the object.
            parent: the generator to start from; ``None``: the model's own.
            size: working size of the frames, see ``tempseg_mm.ops.resize.target_size``.
            seed: with the name of the sequence it determines every random draw, so earlier calls have no influence.
            augment: replaces the fine-tuner's own ``augment``.
            steps: replaces the fine-tuner's own ``steps``.
            focus: given frames that matter most, such as corrected frames. Every second step learns from them.
            on_step: is called with the number of each finished step, from 1.

        Returns:
            The copy, in eval mode and without gradients.

        Raises:
            ValueError: if ``leave_out`` or ``only`` names something that the model does not have, if there is no given
                frame, or if a mask and its frame differ in size.
            FloatingPointError: if a loss is not finite. A GPU may take up to 20 more steps before that.
        """
        unknown = set(self.leave_out) - set(model.loss_names)
        if unknown:
            raise ValueError(f'leave_out names {sorted(unknown)}, but the model has the losses '
                             f'{sorted(model.loss_names)}')
        started = time.perf_counter()
        generator = self.copy_of(model.generator if parent is None else parent)
        chosen = self._chosen(model, generator)
        runs = self._runs(given.frame_ids, apart=self._looks_at_single_frames(model))
        clips = in_turn([self._clip(model, given, indices, size) for indices in runs],
                        [bool({*focus} & {*indices}) for indices in runs])
        batches_of = partial(self._batches, augment or self.augment, apart=self._num_threads(model) > 1)
        drawn = map(batches_of, islice(clips, self.steps if steps is None else steps))
        generator.train(self.mode == 'train')
        # A correction must not draw the same windows as the fine-tuning before it.
        drawn_for = f'{given.name}, corrected in {sorted(focus)}' if focus else given.name
        with trained_alone(generator, chosen), own_randomness(seed, drawn_for):
            losses = self._train(model, generator, drawn, given.name, self.steps if steps is None else steps, on_step)
        return AdaptedGenerator(generator.eval().requires_grad_(False),
                                torch.stack(losses).tolist() if losses else [], time.perf_counter() - started)

    def check(self, model: nn.Module) -> None:
        """Raise ValueError if ``only`` names something that the generator lacks; called before training."""
        self._chosen(model, self.copy_of(model.generator))

    def _chosen(self, model: nn.Module, generator: nn.Module) -> set[str]:
        """Return the names of the parameters of a copy of G that are adapted."""
        if self.only:
            return parameters_called(generator, self.only)
        # Not those of the copy: all parameters of a parent that was adapted are frozen.
        return {name for name, parameter in self.copy_of(model.generator).named_parameters() if parameter.requires_grad}

    def _train(self, model: nn.Module, generator: nn.Module, drawn: Iterator[list], name: str, steps: int,
               on_step: Callable[[int], None]) -> list[Tensor]:
        """Run all steps, each on the next batches of ``drawn``, and return the combined loss before each step."""
        mean, losses = TailAverage(steps, self.average), []
        with side_by_side(self._num_threads(model)) as run, drawn_ahead(drawn, _device_of(model)) as ready:
            learner = Learner(model, generator, self.optimizer, leave_out=self.leave_out, run=run,
                              may_record=steps >= RECORDED_FROM)
            for step, batches in enumerate(ready):
                losses.append(learner.step(batches, f'online fine-tuning of {name}, step {step}'))
                mean.add(learner.parameters, step)
                on_step(step + 1)
            learner.finish()
        mean.give_to(learner.parameters)
        return losses

    def _num_threads(self, model: nn.Module) -> int:
        """Return the number of clips of a step that run at once. A GPU takes them as one batch."""
        on_cpu = _device_of(model).type == 'cpu'
        # In training mode clips share batch statistics and draw random numbers. Only one thread at a time can freeze D.
        on_their_own = self.mode != 'train' and not any(loss.needs_adversary for loss in self._losses(model))
        return min(self.clips_per_step, torch.get_num_threads()) if on_cpu and on_their_own else 1

    def _batches(self, augment: Compose, clip: dict, *, apart: bool) -> list[list[dict]]:
        packed = [self.pipeline(augment(copy.copy(clip))) for _ in range(self.clips_per_step)]
        return [[one] for one in packed] if apart else [packed]

    def _looks_at_single_frames(self, model: nn.Module) -> bool:
        """Return True if no active loss compares frames."""
        return all(loss.per_frame for loss in self._losses(model))

    def _losses(self, model: nn.Module) -> list[nn.Module]:
        """Return the losses that are not left out."""
        return [loss for name, loss in model.losses.items() if name not in self.leave_out]

    def _runs(self, frame_ids: Sequence[int], *, apart: bool) -> list[list[int]]:
        """Cut runs of consecutive frames into clips of two; a single frame comes twice. ``apart``: a clip per frame."""
        ordered = sorted(set(frame_ids))
        if not ordered:
            raise ValueError('there is no frame to learn from: give the mask of at least one frame')
        if apart:
            return [[i] for i in ordered]
        starts = [i for i, frame_id in enumerate(ordered) if i == 0 or ordered[i - 1] != frame_id - 1]
        runs = []
        for start, end in zip(starts, [*starts[1:], len(ordered)], strict=True):
            run = ordered[start:end]
            # The last clip of an odd run overlaps the clip before it, so that no frame stands alone.
            runs += [run[min(i, max(0, len(run) - CLIP)):][:CLIP] for i in range(0, len(run), CLIP)]
        return [run * 2 if len(run) == 1 else run for run in runs]

    def _clip(self, model: nn.Module, given: GivenObject, indices: list[int], size: Size) -> dict:
        """Make the results dict of a clip; its flow is computed once, if anything needs it."""
        frames, masks, void = [], [], []
        for i in indices:
            frame, mask = given.frame(i), given.mask(i)
            shape = target_size(size, frame.shape[:2])
            frames.append(resize_image(frame, shape))
            masks.append(resize_mask(mask, shape))
            unknown = given.void(i)
            void.append(np.zeros_like(masks[-1]) if unknown is None else resize_mask(unknown, shape))
        clip = dict(sequence_name=given.name, frame_ids=indices, frames=frames, gt_masks=masks,
                    shown=[given.shown(i) for i in indices], **dict(void=void) if np.any(void) else {})
        if not frames[1:] or not model.data_preprocessor.needs_flow:
            return clip
        return dict(clip, flow=self._flow(model, frames, still=indices[0] == indices[-1]))

    def _flow(self, model: nn.Module, frames: list, still: bool) -> list:
        if still:
            return [np.zeros((*frames[0].shape[:2], 2), np.float32)]
        stacked = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).to(_device_of(model))
        flow = model.data_preprocessor.estimate_flow(stacked[:-1], stacked[1:])
        return list(flow.permute(0, 2, 3, 1).cpu().numpy())


def _device_of(model: nn.Module) -> torch.device:
    return next(model.parameters()).device
