"""Takes optimiser steps only if loss and gradient are finite. ``GANTrainLoop`` uses it in both half-steps."""

import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from tempseg_mm.inference.finite import as_floats, fault_in, gradient_norm


class NotFiniteError(FloatingPointError):
    """A loss or a gradient is NaN or infinite; it has updated nothing.

    Attributes:
        part: name of the optimiser whose half-step it was.
    """

    def __init__(self, message: str, part: str) -> None:
        super().__init__(message)
        self.part = part


class FiniteSteps:
    """Checks the terms and the gradient of a half-step between its backward pass and its update.

    The check costs one transfer from the device per half-step; after the update it would be too late. A gradient that
    overflows under a loss scaler is not checked, because the scaler itself skips that update.

    Args:
        on_nonfinite: ``'stop'`` raises an error. ``'skip'`` drops the half-step with its gradients, including gradients
            accumulated before, restores the normalisation statistics from before the iteration, counts the skipped
            half-step, and continues.
        max_skips: ``'skip'`` raises an error after this many skipped half-steps of one optimiser in a row.

    Attributes:
        terms: every term of the iteration as a float, except those of skipped half-steps.

    Raises:
        ValueError: if ``on_nonfinite`` is another word, or ``max_skips`` is below 1.
    """

    def __init__(self, on_nonfinite: str = 'stop', max_skips: int = 10) -> None:
        if on_nonfinite not in ('stop', 'skip'):
            raise ValueError(f"on_nonfinite must be 'stop' or 'skip', got {on_nonfinite!r}")
        if max_skips < 1:
            raise ValueError(f"max_skips must be at least 1, got {max_skips}; on_nonfinite='stop' skips nothing")
        self.skips, self.max_skips = on_nonfinite == 'skip', max_skips
        self.terms: dict = {}
        self._skipped, self._in_a_row = 0, {}

    def begin(self, model: nn.Module, where: str) -> None:
        """Begin a new iteration; ``where`` names it and its frames for error messages."""
        self.terms = dict(skipped_steps=float(self._skipped)) if self.skips else {}
        self._model, self._where = model, where
        self._statistics = [buffer.clone() for buffer in model.buffers()] if self.skips else []

    def take(self, part: str, optim: OptimWrapper, loss: Tensor, terms: dict) -> str | None:
        """Do what ``optim.update_params(loss)`` does if all is finite, and add ``terms`` to those of the iteration.

        Args:
            part: name of the optimiser.
            optim: the optimiser wrapper.
            loss: the loss that it minimises.
            terms: tensors of one element by name.

        Returns:
            If the half-step was skipped, a description of what was not finite; otherwise ``None``.

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
        """Return True if any process found a fault: all must skip the same steps, or their weights would differ."""
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
        """Return the counts as plain types."""
        return dict(skipped=self._skipped, in_a_row=dict(self._in_a_row))

    def load_state_dict(self, state: dict) -> None:
        """Restore the counts from :meth:`state_dict`."""
        self._skipped, self._in_a_row = state['skipped'], dict(state['in_a_row'])
