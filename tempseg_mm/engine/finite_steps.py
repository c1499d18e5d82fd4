"""Takes optimiser steps only if loss and gradient are finite. ``GANTrainLoop`` uses it in both half-steps."""

import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from tempseg_mm.inference.finite import as_floats, fault_in, gradient_norm, stacked
from tempseg_mm.inference.learner import FUSED_ON

WITHHOLD = torch.optim.Adam, torch.optim.AdamW  # fused SGD is left with a momentum that nobody has set


class NotFiniteError(FloatingPointError):
    """A loss or a gradient is NaN or infinite; it has updated nothing.

    Attributes:
        part: name of the optimiser whose half-step it was.
    """

    def __init__(self, message: str, part: str) -> None:
        super().__init__(message)
        self.part = part


class FiniteSteps:
    """Takes half-steps that update nothing if a term or the gradient is not finite.

    To read the terms costs a transfer, for which the CPU waits until the device has done all its work. There are two
    ways:

    - *Settle at the end.* The device itself withholds the update if a term or gradient of this half-step, or of one
      that was not read yet, is not finite. :meth:`settle` reads all half-steps with one transfer. This needs an
      optimiser that can do it, see :func:`can_withhold`, and ``'stop'``.
    - *Settle now.* All other half-steps are read between backward pass and update.

    A gradient that overflows under a loss scaler is not checked, because the scaler itself skips that update.

    Args:
        on_nonfinite: ``'stop'`` raises an error. ``'skip'`` drops the half-step with its gradients, including gradients
            accumulated before, restores the normalisation statistics from before the iteration, counts the skipped
            half-step, and continues.
        max_skips: ``'skip'`` raises an error after this many skipped half-steps of one optimiser in a row.

    Attributes:
        terms: every term of the iteration as a float, except those of skipped half-steps and those not read yet.

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
        self._unread: list[tuple[str, dict]] = []  # terms of half-steps on the device

    def begin(self, model: nn.Module, where: str) -> None:
        """Begin a new iteration; ``where`` names it and its frames for error messages."""
        self.terms = dict(skipped_steps=float(self._skipped)) if self.skips else {}
        self._model, self._where = model, where
        self._statistics = [buffer.clone() for buffer in model.buffers()] if self.skips else []

    def take(self, part: str, optim: OptimWrapper, loss: Tensor, terms: dict) -> str | None:
        """Do what ``optim.update_params(loss)`` does if all is finite, and add ``terms`` to those of the iteration.

        Where the device withholds the update, neither an error nor terms come before :meth:`settle`.

        Args:
            part: name of the optimiser.
            optim: the optimiser wrapper.
            loss: the loss that it minimises.
            terms: tensors of one element by name.

        Returns:
            If the half-step was skipped, a description of what was not finite; otherwise ``None``.

        Raises:
            NotFiniteError: as :meth:`settle`.
        """
        optim.backward(optim.scale_loss(loss))
        if not hasattr(optim, 'loss_scaler'):
            parameters = (p for group in optim.optimizer.param_groups for p in group['params'])
            terms = {**terms, f'gradient of {part}': gradient_norm(parameters)}
        self._unread.append((part, dict(zip(terms, stacked(terms), strict=True))))
        withheld = None
        if not self.skips and can_withhold(optim):
            withheld = 1 - stacked(*(unread for _, unread in self._unread)).isfinite().all().float()
        else:
            values, error = self._read()
            if self.skips and self._any_process(error is not None, loss):
                return self._skip(part, optim,
                                  str(error or f'another process found what is not finite in {self._where}.'))
            self._keep(values, error)
        self._in_a_row[part] = 0
        if optim.should_update():
            _step(optim, withheld)
            optim.zero_grad()
        return None

    def settle(self) -> None:
        """Read the half-steps that were not read yet and add their terms to those of the iteration.

        Raises:
            NotFiniteError: naming what is not finite in the first faulty half-step and where, then all terms of the
                iteration up to it. Neither this half-step nor a later one has updated anything.
        """
        if self._unread:
            self._keep(*self._read())

    def _read(self) -> tuple[dict, NotFiniteError | None]:
        """Return the terms of unread half-steps up to the first faulty one, and its error."""
        unread, self._unread = self._unread, []
        found: dict = {}
        for (part, _), values in zip(unread, as_floats(*(terms for _, terms in unread)), strict=True):
            fault = fault_in({**self.terms, **found, **values}, self._where)
            if fault:
                return found, NotFiniteError(fault, part)
            found.update((name, value) for name, value in values.items() if not name.startswith('gradient of '))
        return found, None

    def _keep(self, values: dict, error: NotFiniteError | None) -> None:
        if error:
            raise error
        self.terms.update(values)

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


def can_withhold(optim: OptimWrapper) -> bool:
    """Return True if an optimiser can leave out an update that its device finds to be wrong, without the CPU.

    Fused Adam and AdamW can, if nothing comes between gradient and update: no clipping, no loss scaler.
    """
    return (type(optim) is OptimWrapper and not optim.clip_grad_kwargs and type(optim.optimizer) in WITHHOLD
            and all(group.get('fused') and all(p.device.type in FUSED_ON for p in group['params'])
                    for group in optim.optimizer.param_groups))


def _step(optim: OptimWrapper, withheld: Tensor | None) -> None:
    """Update, unless ``withheld`` is 1 on the device: then weights, moments and counts stay as they are."""
    if withheld is None:
        optim.step()
        return
    optim.optimizer.found_inf = withheld  # how torch's GradScaler says it to a fused optimiser
    try:
        optim.step()
    finally:
        del optim.optimizer.found_inf
