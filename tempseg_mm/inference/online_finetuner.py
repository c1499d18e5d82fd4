"""Online fine-tuning: a copy of the generator learns one object from the frames whose masks are given.

A plain class, called by ``Segmenter``; it relies on the model's own generator losses.
"""

import copy
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import torch
from mmengine.dataset import Compose
from mmengine.optim import build_optim_wrapper
from torch import Tensor, nn

from tempseg_mm.ops.resize import Size, resize_image, resize_mask, target_size
from tempseg_mm.registry import TASK_UTILS, TRANSFORMS
from tempseg_mm.runtime.random_state import own_randomness

from .finetuning_steps import TailAverage, folded, in_turn, parameters_called, side_by_side, trained_alone
from .finite import check_finite
from .given_fit import GivenFit
from .given_object import GivenObject

CLIP = 2  # frames of a clip
MODES = 'eval', 'folded', 'train'


@dataclass
class AdaptedGenerator:
    """What fine-tuning on an object left.

    Attributes:
        generator: the copy.
        losses: the combined loss before each step, each of another augmented clip.
        seconds: that the steps took.
        fit: what they gained on the given frames; ``None`` without a step.
        trained: the copy as the steps left it, which a correction starts from; :attr:`generator` is for prediction.
    """
    generator: nn.Module
    losses: list = field(default_factory=list)
    seconds: float = 0.0
    fit: GivenFit | None = None
    trained: nn.Module | None = None

    @property
    def summary(self) -> str:
        """Steps, seconds and gain in words; empty without a step."""
        if self.fit is None:
            return ''
        return f'fine-tuned on {self.fit.masks}, {len(self.losses)} steps in {self.seconds:.1f} s, {self.fit.gain}'

    def for_prediction(self, *, channels_last: bool = False) -> 'AdaptedGenerator':
        """A copy that answers the same to rounding, in half of the time on a CPU.

        Batch normalisation is folded into the convolutions before it.

        Args:
            channels_last: move its weights in memory, too; training a small network in that layout would be slower.
        """
        generator = folded(self.generator)
        if channels_last:
            generator.to(memory_format=torch.channels_last)
        return replace(self, generator=generator, trained=self.trained or self.generator)


def summary_of(adapted: Mapping[int, AdaptedGenerator]) -> str:
    """What fine-tuning on all objects of a sequence took and gained, in words; empty without a step."""
    fitted = [found for found in adapted.values() if found.fit]
    if len(fitted) < 2:
        return ''.join(found.summary for found in fitted)
    before, after = (sum(values) / len(fitted) for values in zip(
        *((found.fit.before, found.fit.after) for found in fitted), strict=True))
    return (f'fine-tuned on {len(fitted)} objects, {sum(len(found.losses) for found in fitted)} steps in '
            f'{sum(found.seconds for found in fitted):.1f} s, IoU on their masks {before:.2f} -> {after:.2f}')


def faults_of(adapted: Mapping[int, AdaptedGenerator]) -> list[str]:
    """A sentence for each object, by its id, that fine-tuning did not work for."""
    return [f'Object {object_id}: {found.fit.fault}.' for object_id, found in adapted.items()
            if found.fit and found.fit.fault]


@TASK_UTILS.register_module()
class OnlineFinetuner:
    """Trains a copy of G alone on the given frames with the combined loss (paper note P15).

    Paper note: two given frames, so that the temporal losses are defined on the pair 0 -> 1. With one (the common
    one-shot protocol) they see it twice, without motion.

    Args:
        steps: optimiser steps.
        clips_per_step: differently augmented copies of the clip in one step. On a CPU they go side by side, as many as
            torch has threads.
        optimizer: config of the optimiser.
        augment: transforms of the clip, drawn again for each copy; they start from ``frames``, ``gt_masks`` and
            ``flow``. What the paper calls test-time augmentation; ``TTAHook`` switches it (paper note P18).
        pipeline: transforms that follow, ending in ``PackClip``. With reference masks it should deform them, else
            copying them is what is learnt.
        leave_out: names of generator losses that take no part, e.g. ``['adv']``: D has never seen this sequence. They
            may name losses that the config of the model has set to ``None``.
        mode: of the generator. 'eval': batch normalisation keeps its running statistics, which two frames wreck, and
            nothing is dropped out. 'folded': the same, and batch normalisation is part of the convolutions before it,
            which are adapted: a step is a sixth cheaper and fewer do, at a fifth of the learning rate or less.
            'train': statistics of the clip itself, and dropout.
        only: the parameters of G that are adapted: names of them, or of sub-modules such as ``'decoder'`` or
            ``'decoder.to_logits'``; ``'norm'``: those of all normalisation layers. Empty: all that are trained.
        average: share of the last steps, in [0, 1], whose weights are averaged, see :class:`TailAverage`; 0: the
            weights of the last step.

    Raises:
        ValueError: steps, clips or a share out of range; an unknown mode.
    """

    def __init__(self, *, steps: int = 100, clips_per_step: int = 1,
                 optimizer: dict | None = None, augment: Sequence[dict] = (),
                 pipeline: Sequence[dict] = (dict(type='PackClip'),), leave_out: Sequence[str] = (),
                 mode: str = 'eval', only: str | Sequence[str] = (), average: float = 0.0) -> None:
        if steps < 0 or clips_per_step < 1:
            raise ValueError(f'steps must be >= 0 and clips_per_step >= 1, got {steps} and {clips_per_step}')
        if not 0 <= average <= 1:
            raise ValueError(f'average is a share and must be in [0, 1], got {average}')
        if mode not in MODES:
            raise ValueError(f'mode must be one of {", ".join(MODES)}, got {mode!r}')
        self.steps = steps
        self.clips_per_step = clips_per_step
        self.optimizer = optimizer or dict(type='Adam', lr=1e-3)
        self.augment = Compose([TRANSFORMS.build(dict(t)) for t in augment])
        self.pipeline = Compose([TRANSFORMS.build(dict(t)) for t in pipeline])
        self.leave_out = tuple(leave_out)
        self.mode = mode
        self.only = (only,) if isinstance(only, str) else tuple(only)
        self.average = average

    def copy_of(self, generator: nn.Module) -> nn.Module:
        """What adapting starts from: a copy, without batch normalisation where that is folded."""
        return folded(generator) if self.mode == 'folded' else copy.deepcopy(generator)

    def adapt(self, model: nn.Module, given: GivenObject, *, parent: nn.Module | None = None, size: Size = None,
              seed: int = 0, augment: Compose | None = None, steps: int | None = None, focus: Collection[int] = (),
              on_step: Callable[[int], None] = lambda step: None) -> AdaptedGenerator:
        """Fine-tune a copy of the generator on the given frames of an object; the model is what it was before.

        Frames that follow each other form a clip, one that stands alone a clip without motion; where no loss compares
        frames each is a clip of its own, a step half as dear. The steps take the clips in turn.

        Args:
            model: a ``TempSegGAN``.
            given: the object.
            parent: the generator to start from; ``None``: the model's own.
            size: at which frames are looked at.
            seed: with the sequence's name it decides every random draw, so that what came before changes nothing.
            augment: transforms in place of the fine-tuner's own ``augment``.
            steps: in place of the fine-tuner's own ``steps``.
            focus: given frames that matter most, such as one that was corrected: every second step learns from them.
            on_step: told the number of each step when it is done, from 1.

        Returns:
            The copy, in eval mode and without gradients.

        Raises:
            ValueError: if ``leave_out`` names a loss that the model does not have, or ``only`` parameters; if there is
                no frame to learn from, or a mask is of another size than its frame.
            FloatingPointError: if a loss is not finite.
        """
        unknown = set(self.leave_out) - set(model.loss_names)
        if unknown:
            raise ValueError(f'leave_out names {sorted(unknown)}, but the losses of the model are '
                             f'{sorted(model.loss_names)}')
        started = time.perf_counter()
        generator = self.copy_of(model.generator if parent is None else parent)
        chosen = self._chosen(self.copy_of(model.generator))  # of a parent that was adapted before, nothing is trained
        runs = self._runs(given.frame_ids, apart=self._looks_at_single_frames(model))
        clips = in_turn([self._clip(model, given, indices, size) for indices in runs],
                        [bool({*focus} & {*indices}) for indices in runs])
        batches_of = partial(self._batches, augment or self.augment, apart=self._num_threads(model) > 1)
        generator.train(self.mode == 'train')
        # Another correction draws other windows than the fine-tuning before it.
        drawn_for = f'{given.name}, corrected in {sorted(focus)}' if focus else given.name
        with trained_alone(generator, chosen), own_randomness(seed, drawn_for):
            losses = self._train(model, generator, map(batches_of, clips), given.name,
                                 self.steps if steps is None else steps, on_step)
        return AdaptedGenerator(generator.eval().requires_grad_(False),
                                torch.stack(losses).tolist() if losses else [], time.perf_counter() - started)

    def check(self, model: nn.Module) -> None:
        """Raise ValueError if ``only`` names what the generator lacks: no training has to end before that shows."""
        self._chosen(self.copy_of(model.generator))

    def _chosen(self, generator: nn.Module) -> set[str]:
        if self.only:
            return parameters_called(generator, self.only)
        return {name for name, parameter in generator.named_parameters() if parameter.requires_grad}

    def _train(self, model: nn.Module, generator: nn.Module, drawn: Iterator[list], name: str, steps: int,
               on_step: Callable[[int], None]) -> list[Tensor]:
        """All steps, each on the batches that come with it; the combined loss before each."""
        optim_wrapper = build_optim_wrapper(generator, dict(type='OptimWrapper', optimizer=dict(self.optimizer)))
        parameters = [parameter for parameter in generator.parameters() if parameter.requires_grad]
        mean, losses = TailAverage(steps, self.average), []
        with side_by_side(self._num_threads(model)) as run:
            for step in range(steps):
                batches = next(drawn)
                found = run(partial(self._gradients, model, generator, parameters, f'{name}, step {step}'), batches)
                for parameter, *gradients in zip(parameters, *(gradients for _, gradients in found), strict=True):
                    parameter.grad = sum(gradients[1:], gradients[0]) / len(batches)
                optim_wrapper.step()
                losses.append(torch.stack([loss for loss, _ in found]).mean())
                mean.add(generator, step)
                on_step(step + 1)
        optim_wrapper.zero_grad()
        mean.give_to(generator)
        return losses

    def _num_threads(self, model: nn.Module) -> int:
        """Clips of a step that are worked on at once; a GPU takes them as one batch."""
        on_cpu = next(model.parameters()).device.type == 'cpu'
        # In training mode clips are tied by batch statistics and draw random numbers; D is frozen by one at a time.
        on_their_own = self.mode != 'train' and not any(loss.needs_adversary for loss in self._losses(model))
        return min(self.clips_per_step, torch.get_num_threads()) if on_cpu and on_their_own else 1

    def _batches(self, augment: Compose, clip: dict, *, apart: bool) -> list[list[dict]]:
        packed = [self.pipeline(augment(copy.copy(clip))) for _ in range(self.clips_per_step)]
        return [[one] for one in packed] if apart else [packed]

    def _gradients(self, model: nn.Module, generator: nn.Module, parameters: list, where: str, packed: list[dict]
                   ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The combined loss of a batch, and its gradients: zeros for parameters that it does not depend on."""
        batch = model.data_preprocessor(
            dict(inputs=[p['inputs'] for p in packed], data_samples=[p['data_samples'] for p in packed]), training=True)
        prediction = model(batch, generator=generator)
        loss, terms = model.parse_losses(model.generator_losses(prediction, batch, leave_out=self.leave_out))
        check_finite(terms, f'online fine-tuning of {where}')
        return loss.detach(), torch.autograd.grad(loss, parameters, materialize_grads=True)

    def _looks_at_single_frames(self, model: nn.Module) -> bool:
        """Whether no loss that takes part compares frames."""
        return all(loss.per_frame for loss in self._losses(model))

    def _losses(self, model: nn.Module) -> list[nn.Module]:
        """Those that take part."""
        return [loss for name, loss in model.losses.items() if name not in self.leave_out]

    def _runs(self, frame_ids: Sequence[int], *, apart: bool) -> list[list[int]]:
        """Frames that follow each other, cut into clips of two; one alone comes twice.

        ``apart``: each is a clip.
        """
        ordered = sorted(set(frame_ids))
        if not ordered:
            raise ValueError('there is no frame to learn from: give at least one')
        if apart:
            return [[i] for i in ordered]
        starts = [i for i, frame_id in enumerate(ordered) if i == 0 or ordered[i - 1] != frame_id - 1]
        runs = []
        for start, end in zip(starts, [*starts[1:], len(ordered)], strict=True):
            run = ordered[start:end]
            # The last clip of a long run reaches back, so that no frame of it stands alone.
            runs += [run[min(i, max(0, len(run) - CLIP)):][:CLIP] for i in range(0, len(run), CLIP)]
        return [run * 2 if len(run) == 1 else run for run in runs]

    def _clip(self, model: nn.Module, given: GivenObject, indices: list[int], size: Size) -> dict:
        """Results dict of a clip, its flow, where it is needed, computed once."""
        frames, masks = [], []
        for i in indices:
            frame, mask = given.frame(i), given.mask(i)
            shape = target_size(size, frame.shape[:2])
            frames.append(resize_image(frame, shape))
            masks.append(resize_mask(mask, shape))
        clip = dict(sequence_name=given.name, frame_ids=indices, frames=frames, gt_masks=masks,
                    shown=[given.shown(i) for i in indices])
        if not frames[1:] or not model.data_preprocessor.needs_flow:
            return clip
        return dict(clip, flow=self._flow(model, frames, still=indices[0] == indices[-1]))

    def _flow(self, model: nn.Module, frames: list, still: bool) -> list:
        if still:
            return [np.zeros((*frames[0].shape[:2], 2), np.float32)]
        device = next(model.parameters()).device
        stacked = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).to(device)
        flow = model.data_preprocessor.estimate_flow(stacked[:-1], stacked[1:])
        return list(flow.permute(0, 2, 3, 1).cpu().numpy())
