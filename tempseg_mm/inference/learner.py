"""The optimiser steps of online fine-tuning, each in the way that suits the device."""

import inspect
from collections.abc import Callable, Collection

import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import OPTIMIZERS
from torch import Tensor, nn

from tempseg_mm.structures import ClipBatch

from .finite import FiniteTerms
from .recorded_step import RecordedStep

FUSED = torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD  # others have no fused kernel on both CPU and CUDA
FUSED_ON = 'cpu', 'cuda'
UNCHECKED = 20  # steps that a GPU may take before the CPU waits for their losses


class Learner:
    """Takes steps that lower the combined loss of a generator.

    A CPU computes the batches of a step side by side and checks their losses before the update. A GPU takes a step
    without a wait: it repeats a recorded step (:class:`RecordedStep`), and losses are checked once in
    :data:`UNCHECKED` steps.

    Args:
        model: a ``TempSegGAN``; its losses and its data preprocessor are used.
        generator: the generator; its parameters that require gradients are trained.
        optimizer: config of the optimiser.
        leave_out: names of losses to leave out.
        run: ``map`` for the batches of a step, see :func:`~.finetuning_steps.side_by_side`.
        may_record: whether a GPU may record a step, as ``model.compute.graph`` allows. Not worth it for a few steps.

    Attributes:
        parameters: the parameters that are trained.
    """

    def __init__(self, model: nn.Module, generator: nn.Module, optimizer: dict, *, leave_out: Collection[str] = (),
                 run: Callable = map, may_record: bool = True) -> None:
        self.model, self.generator, self.leave_out, self.run = model, generator, leave_out, run
        self.parameters = [parameter for parameter in generator.parameters() if parameter.requires_grad]
        device = next(model.parameters()).device
        may_record &= device.type == 'cuda' and model.compute.graph and not (model.training or generator.training)
        if device.type in FUSED_ON:
            optimizer = at_once(optimizer, recorded=may_record)
        self._optim = build_optim_wrapper(generator, dict(type='OptimWrapper', optimizer=dict(optimizer)))
        self._on_cpu = device.type == 'cpu'
        self._finite = FiniteTerms(1 if self._on_cpu else UNCHECKED)
        can_record = may_record and can_be_recorded(self._optim.optimizer)
        self._recorded = RecordedStep(self._learn) if can_record else None

    def step(self, batches: list[list[dict]], where: str) -> Tensor:
        """Take a step on batches of packed clips and return the combined loss before it, a scalar.

        Args:
            batches: one batch, or on a CPU one or more.
            where: name of the step for messages.

        Raises:
            FloatingPointError: if a loss of this or of an earlier step is not finite.
        """
        if not self._on_cpu:
            terms = (self._recorded or self._learn)(self._batch(*batches))
            self._finite.add(terms, where)
            return terms['loss']
        found = list(self.run(lambda packed: self._gradients(self._batch(packed)), batches))
        for terms, _ in found:
            self._finite.add(terms, where)
        several = zip(*(gradients for _, gradients in found), strict=True)
        self._update([sum(rest, first) / len(found) if rest else first for first, *rest in several])
        return torch.stack([terms['loss'] for terms, _ in found]).mean()

    def finish(self) -> None:
        """Check the losses of all steps, and drop the gradients and the recorded step with its memory.

        Raises:
            FloatingPointError: naming the first step whose loss is not finite.
        """
        self._finite.check()
        self._optim.zero_grad()
        self._recorded = None

    def _batch(self, packed: list[dict]) -> ClipBatch:
        return self.model.data_preprocessor(
            dict(inputs=[p['inputs'] for p in packed], data_samples=[p['data_samples'] for p in packed]), training=True)

    def _learn(self, batch: ClipBatch) -> dict[str, Tensor]:
        terms, gradients = self._gradients(batch)
        self._update(gradients)
        return terms

    def _gradients(self, batch: ClipBatch) -> tuple[dict[str, Tensor], tuple[Tensor, ...]]:
        """Compute the loss terms of a batch and the gradients of their sum; they are zero without influence."""
        prediction = self.model(batch, generator=self.generator)
        loss, terms = self.model.parse_losses(
            self.model.generator_losses(prediction, batch, leave_out=self.leave_out))
        gradients = torch.autograd.grad(loss, self.parameters, materialize_grads=True)
        return {name: value.detach() for name, value in terms.items()}, gradients

    def _update(self, gradients: Collection[Tensor]) -> None:
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        self._optim.step()


def at_once(optimizer: dict, *, recorded: bool) -> dict:
    """Add to the config of an optimiser what lets it update all parameters at once, and repeat a recorded step.

    Optimisers of torch have it under the names ``fused`` and ``capturable``. Others stay as they are, and so does what
    the config says itself.
    """
    kind = _kind_of(optimizer)
    added = dict(fused=True) if kind in FUSED and 'foreach' not in optimizer else {}
    if recorded and takes(optimizer, 'capturable'):
        added['capturable'] = True
    return {**added, **optimizer}


def takes(optimizer: dict, name: str) -> bool:
    """Return whether the optimiser of a config has a setting of this name."""
    return name in inspect.signature(_kind_of(optimizer)).parameters


def _kind_of(optimizer: dict) -> type:
    kind = optimizer['type']
    return (OPTIMIZERS.get(kind) or object) if isinstance(kind, str) else kind


def can_be_recorded(optimizer: torch.optim.Optimizer) -> bool:
    """Return True if every step of an optimiser is the same work: no number that changes is kept by the CPU."""
    return isinstance(optimizer, torch.optim.SGD) or all(group.get('capturable') for group in optimizer.param_groups)
