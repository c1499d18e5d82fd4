"""Online fine-tuning: the generator learns the object from annotated frames, and forgets it afterwards.

A plain class: the test hook, the baselines and the API call it; it relies on the model's own generator losses.
"""

import copy
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from mmengine.dataset import Compose
from mmengine.optim import build_optim_wrapper
from torch import Tensor, nn

from tempseg_mm.ops.resize import Size, resize_image, resize_mask, target_size
from tempseg_mm.registry import TASK_UTILS, TRANSFORMS
from tempseg_mm.runtime.random_state import own_randomness

from .finetuned_parameters import parameters_called, trained_alone
from .finite import check_finite
from .segment import given_mask
from .side_by_side import side_by_side
from .tail_average import TailAverage


@dataclass
class FinetuneReport:
    """What an adaptation did: the combined loss before each step, and seconds in all."""
    losses: list = field(default_factory=list)
    seconds: float = 0.0


@TASK_UTILS.register_module()
class OnlineFinetuner:
    """Trains G alone on annotated frames with the combined loss (paper note P15); :meth:`restore` undoes it exactly.

    Paper note: two annotated frames, so that the temporal losses are defined on the pair 0 -> 1. With ``num_frames=1``
    (the common one-shot protocol) they see the one frame twice, without motion.

    Args:
        steps: optimiser steps.
        num_frames: annotated frames to learn from, 1 or more.
        clips_per_step: differently augmented copies of the clip in one step. On a CPU they go side by side, as many as
            torch has threads.
        optimizer: config of the optimiser.
        augment: transforms of the clip, drawn anew for each copy; they start from ``frames``, ``gt_masks`` and
            ``flow``. What the paper calls test-time augmentation; ``TTAHook`` switches it (paper note P18).
        pipeline: transforms that follow, ending in ``PackClip``. With reference masks it should deform them, else
            copying them is what is learnt.
        leave_out: names of generator losses that take no part, e.g. ``['adv']``: D has never seen this sequence. They
            may name losses that the config of the model has set to ``None``.
        eval_mode: of the generator: batch normalisation keeps its running statistics, which two frames wreck, and
            nothing is dropped out.
        only: the parameters of G that are adapted: names of them, or of sub-modules such as ``'decoder'`` or
            ``'decoder.to_logits'``; ``'norm'``: those of all normalisation layers. Empty: all that are trained.
        average: share of the last steps, in [0, 1], whose weights are averaged, see :class:`TailAverage`; 0: the
            weights of the last step.
    """

    def __init__(self, *, steps: int = 100, num_frames: int = 2, clips_per_step: int = 1,
                 optimizer: dict | None = None, augment: Sequence[dict] = (),
                 pipeline: Sequence[dict] = (dict(type='PackClip'),), leave_out: Sequence[str] = (),
                 eval_mode: bool = True, only: str | Sequence[str] = (), average: float = 0.0) -> None:
        if steps < 0 or num_frames < 1 or clips_per_step < 1:
            raise ValueError('steps must be >= 0, num_frames and clips_per_step >= 1, got '
                             f'{steps}, {num_frames}, {clips_per_step}')
        if not 0 <= average <= 1:
            raise ValueError(f'average is a share and must be in [0, 1], got {average}')
        self.steps = steps
        self.num_frames = num_frames
        self.clips_per_step = clips_per_step
        self.optimizer = optimizer or dict(type='Adam', lr=1e-3)
        self.augment = Compose([TRANSFORMS.build(dict(t)) for t in augment])
        self.pipeline = Compose([TRANSFORMS.build(dict(t)) for t in pipeline])
        self.leave_out = tuple(leave_out)
        self.eval_mode = eval_mode
        self.only = (only,) if isinstance(only, str) else tuple(only)
        self.average = average
        self._parent: dict | None = None

    def adapt(self, model: nn.Module, sequence: Any, *, size: Size = None, seed: int = 0,
              frame_ids: Sequence[int] | None = None, on_step: Callable[[int], None] = lambda step: None
              ) -> FinetuneReport:
        """Fine-tune ``model.generator`` in place on the annotated frames of a sequence.

        Frames that follow each other form a clip, one that stands alone a clip without motion; where no loss compares
        frames each is a clip of its own, a step half as dear. The steps take the clips in turn.

        Args:
            model: a ``TempSegGAN``; left in eval mode.
            sequence: a ``VOSSequence``, or anything with its ``name``, ``frame(i)`` and ``mask(i)``.
            size: working size.
            frame_ids: annotated frames to learn from; ``None``: the first ``num_frames``.
            seed: with the sequence's name it decides every random draw, so that what came before changes nothing.
            on_step: told the number of each step when it is done, from 1.

        Raises:
            ValueError: if ``leave_out`` names a loss that the model does not have, or ``only`` parameters; if there is
                no frame to learn from; if a mask is missing, of another size than its frame, or the first has no
                object.
            FloatingPointError: if a loss is not finite; the generator is restored first.
        """
        unknown = set(self.leave_out) - set(model.loss_names)
        if unknown:
            raise ValueError(f'leave_out names {sorted(unknown)}, but the losses of the model are '
                             f'{sorted(model.loss_names)}')
        chosen = self._chosen(model.generator)
        if self._parent is not None:
            raise RuntimeError('the generator is already adapted: call restore(model) before the next sequence')
        started = time.perf_counter()
        frame_ids = range(self.num_frames) if frame_ids is None else frame_ids
        clips = [self._clip(model, sequence, indices, size)
                 for indices in self._runs(frame_ids, apart=self._looks_at_single_frames(model))]
        self._parent = copy.deepcopy(model.generator.state_dict())
        try:
            with (self._mode(model), trained_alone(model.generator, chosen),
                  own_randomness(seed, sequence.name)):
                losses = self._train(model, clips, sequence.name, on_step)
        except BaseException:
            self.restore(model)
            raise
        return FinetuneReport(torch.stack(losses).tolist() if losses else [], time.perf_counter() - started)

    def restore(self, model: nn.Module) -> None:
        """Give ``model.generator`` its weights and statistics from before :meth:`adapt`, bit for bit."""
        if self._parent is not None:
            model.generator.load_state_dict(self._parent)
            self._parent = None

    def _chosen(self, generator: nn.Module) -> set[str]:
        """Names of the parameters to adapt."""
        if self.only:
            return parameters_called(generator, self.only)
        return {name for name, parameter in generator.named_parameters() if parameter.requires_grad}

    def _train(self, model: nn.Module, clips: list[dict], name: str, on_step: Callable[[int], None]) -> list[Tensor]:
        """All steps; the combined loss before each."""
        optim_wrapper = build_optim_wrapper(
            model.generator, dict(type='OptimWrapper', optimizer=dict(self.optimizer)))
        optim_wrapper.zero_grad()  # of a training step that was broken off
        parameters = [parameter for parameter in model.generator.parameters() if parameter.requires_grad]
        mean, losses, num_threads = TailAverage(self.steps, self.average), [], self._num_threads(model)
        with side_by_side(num_threads) as run:
            for step in range(self.steps):
                batches = self._batches(clips[step % len(clips)], apart=num_threads > 1)
                found = run(partial(self._gradients, model, parameters, f'{name}, step {step}'), batches)
                for parameter, *gradients in zip(parameters, *(gradients for _, gradients in found), strict=True):
                    parameter.grad = sum(gradients[1:], gradients[0]) / len(batches)
                optim_wrapper.step()
                losses.append(torch.stack([loss for loss, _ in found]).mean())
                mean.add(model.generator, step)
                on_step(step + 1)
        optim_wrapper.zero_grad()
        mean.give_to(model.generator)
        return losses

    def _num_threads(self, model: nn.Module) -> int:
        """Clips of a step that are worked on at once; a GPU takes them as one batch."""
        on_cpu = next(model.parameters()).device.type == 'cpu'
        # Outside of eval mode clips are tied by batch statistics and draw random numbers; D is frozen by one at a time.
        on_their_own = self.eval_mode and not any(loss.needs_adversary for loss in self._losses(model))
        return min(self.clips_per_step, torch.get_num_threads()) if on_cpu and on_their_own else 1

    def _batches(self, clip: dict, *, apart: bool) -> list[list[dict]]:
        packed = [self.pipeline(self.augment(copy.copy(clip))) for _ in range(self.clips_per_step)]
        return [[one] for one in packed] if apart else [packed]

    def _gradients(self, model: nn.Module, parameters: list, where: str, packed: list[dict]
                   ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The combined loss of a batch, and its gradients: zeros for parameters that it does not depend on."""
        batch = model.data_preprocessor(
            dict(inputs=[p['inputs'] for p in packed], data_samples=[p['data_samples'] for p in packed]), training=True)
        loss, terms = model.parse_losses(model.generator_losses(model(batch), batch, leave_out=self.leave_out))
        check_finite(terms, f'online fine-tuning of {where}')
        return loss.detach(), torch.autograd.grad(loss, parameters, materialize_grads=True)

    def _looks_at_single_frames(self, model: nn.Module) -> bool:
        """Whether no loss that takes part compares frames."""
        return all(loss.per_frame for loss in self._losses(model))

    def _losses(self, model: nn.Module) -> list[nn.Module]:
        """Those that take part."""
        return [loss for name, loss in model.losses.items() if name not in self.leave_out]

    def _runs(self, frame_ids: Sequence[int], *, apart: bool) -> list[list[int]]:
        """Frames that follow each other, cut into clips of ``num_frames`` but at least two; one alone comes twice.

        ``apart``: each is a clip.
        """
        ordered = sorted(set(frame_ids))
        if not ordered:
            raise ValueError('there is no frame to learn from: give at least one')
        if apart:
            return [[i] for i in ordered]
        starts = [i for i, frame_id in enumerate(ordered) if i == 0 or ordered[i - 1] != frame_id - 1]
        runs, longest = [], max(2, self.num_frames)
        for start, end in zip(starts, [*starts[1:], len(ordered)], strict=True):
            run = ordered[start:end]
            # The last clip of a long run reaches back, so that no frame of it stands alone.
            runs += [run[min(i, max(0, len(run) - longest)):][:longest] for i in range(0, len(run), longest)]
        return [run * 2 if len(run) == 1 else run for run in runs]

    def _clip(self, model: nn.Module, sequence: Any, indices: list[int], size: Size) -> dict:
        """Results dict of a clip, its flow computed once."""
        frames, masks = [], []
        for i in indices:
            frame, mask = sequence.frame(i), given_mask(sequence, i)
            shape = target_size(size, frame.shape[:2])
            frames.append(resize_image(frame, shape))
            masks.append(resize_mask(mask, shape))
        clip = dict(sequence_name=sequence.name, frame_ids=indices, frames=frames, gt_masks=masks)
        return dict(clip, flow=self._flow(model, frames, still=indices[0] == indices[-1])) if frames[1:] else clip

    def _flow(self, model: nn.Module, frames: list, still: bool) -> list:
        if still:
            return [np.zeros((*frames[0].shape[:2], 2), np.float32)]
        device = next(model.parameters()).device
        stacked = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).to(device)
        flow = model.data_preprocessor.estimate_flow(stacked[:-1], stacked[1:])
        return list(flow.permute(0, 2, 3, 1).cpu().numpy())

    @contextmanager
    def _mode(self, model: nn.Module) -> Iterator[None]:
        model.generator.train(not self.eval_mode)
        try:
            yield
        finally:
            model.eval()
