"""Optimiser steps that are only taken if loss and gradient are finite. Used by ``GANTrainLoop`` in both half-steps."""

import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from tempseg_mm.inference.finite import as_floats, fault_in, gradient_norm


class NotFiniteError(FloatingPointError):
    """A loss or a gradient is NaN or infinite; nothing was updated by it.

    Attributes:
        part: name of the optimiser whose step it was.
    """

    def __init__(self, message: str, part: str) -> None:
        super().__init__(message)
        self.part = part


class FiniteSteps:
    """Looks at the terms and the gradient of a half-step between its backward pass and its update.

    Costs one transfer from the device a half-step: after the update it would be too late. A gradient that overflows
    under a loss scaler is the scaler's business, which skips the update by itself.

    Args:
        on_nonfinite: ``'stop'`` raises; ``'skip'`` drops the half-step, its gradients (under accumulation those
            gathered before it too) and the normalisation statistics of the iteration, counts it, and goes on.
        max_skips: ``'skip'`` raises all the same after so many half-steps of one optimiser in a row.

    Attributes:
        terms: every term of the iteration as a float, but those of skipped half-steps.

    Raises:
        ValueError: for another ``on_nonfinite``, or a ``max_skips`` below 1.
    """

    def __init__(self, on_nonfinite: str = 'stop', max_skips: int = 10) -> None:
        if on_nonfinite not in ('stop', 'skip'):
            raise ValueError(f"on_nonfinite must be 'stop' or 'skip', got {on_nonfinite!r}")
        if max_skips < 1:
            raise ValueError(f"max_skips must be at least 1, got {max_skips}; to skip nothing: on_nonfinite='stop'")
        self.skips, self.max_skips = on_nonfinite == 'skip', max_skips
        self.terms: dict = {}
        self._skipped, self._in_a_row = 0, {}

    def begin(self, model: nn.Module, where: str) -> None:
        """A new iteration begins; ``where`` says which, on what."""
        self.terms = dict(skipped_steps=float(self._skipped)) if self.skips else {}
        self._model, self._where = model, where
        self._statistics = [buffer.clone() for buffer in model.buffers()] if self.skips else []

    def take(self, part: str, optim: OptimWrapper, loss: Tensor, terms: dict) -> str | None:
        """What ``optim.update_params(loss)`` does, if all is finite; adds ``terms`` to those of the iteration.

        Args:
            part: name of the optimiser.
            optim: its wrapper.
            loss: what it minimises.
            terms: tensors of one element by name.

        Returns:
            What was not finite if the half-step was skipped, in words, else ``None``.

        Raises:
            NotFiniteError: naming what is not finite and where, then all terms of the iteration.
        """
        optim.backward(optim.scale_loss(loss))
        if not hasattr(optim, 'loss_scaler'):
            parameters = (p for group in optim.optimizer.param_groups for p in group['params'])
            terms = {**terms, f'gradient of {part}': gradient_norm(parameters)}
        values = as_floats(terms)
        fault = fault_in({**self.terms, **values}, self._where)
        if self.skips and self._any_process(fault is not None, loss):
            return self._skip(part, optim, fault or f'another process found what is not finite in {self._where}.')
        if fault:
            raise NotFiniteError(fault, part)
        self._in_a_row[part] = 0
        if optim.should_update():
            optim.step()
            optim.zero_grad()
        self.terms.update((name, values[name]) for name in terms if not name.startswith('gradient of '))
        return None

    def _any_process(self, found: bool, like: Tensor) -> bool:
        """All processes must skip the same steps, or their weights part."""
        if get_world_size() == 1:
            return found
        flag = torch.tensor(float(found), device=like.device)
        all_reduce(flag, 'max')
        return bool(flag)

    def _skip(self, part: str, optim: OptimWrapper, fault: str) -> str:
        optim.zero_grad()
        for buffer, before in zip(self._model.buffers(), self._statistics, strict=True):
            buffer.copy_(before)
        self._skipped += 1
        self._in_a_row[part] = self._in_a_row.get(part, 0) + 1
        self.terms['skipped_steps'] = float(self._skipped)
        if self._in_a_row[part] >= self.max_skips:
            raise NotFiniteError(f'{self._in_a_row[part]} half-steps in a row: {fault}', part)
        return fault

    def state_dict(self) -> dict:
        """The counts, as plain types."""
        return dict(skipped=self._skipped, in_a_row=dict(self._in_a_row))

    def load_state_dict(self, state: dict) -> None:
        """Undo :meth:`state_dict`."""
        self._skipped, self._in_a_row = state['skipped'], dict(state['in_a_row'])
