"""Takes optimiser steps only if loss and gradient are finite. ``GANTrainLoop`` uses it in both half-steps."""

from dataclasses import dataclass, field

import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from tempseg_mm.inference.finite import as_floats, fault_in, gradient_norm, stacked
from tempseg_mm.inference.learner import FUSED_ON

WITHHOLD = torch.optim.Adam, torch.optim.AdamW  # fused SGD is left with a momentum that nobody has set


@dataclass
class Iteration:
    """What is known of an iteration.

    Attributes:
        where: names it and its frames for error messages.
        terms: every term as a float, except those of skipped half-steps and those that were not read yet.
    """
    where: str
    terms: dict = field(default_factory=dict)


class NotFiniteError(FloatingPointError):
    """A loss or a gradient is NaN or infinite; it has updated nothing.

    Attributes:
        part: name of the optimiser whose half-step it was.
        iteration: the iteration of this half-step.
    """

    def __init__(self, message: str, part: str, iteration: Iteration) -> None:
        super().__init__(message)
        self.part, self.iteration = part, iteration


class FiniteSteps:
    """Takes half-steps that update nothing if a term or the gradient is not finite.

    To read the terms costs a transfer, for which the CPU waits until the device has done all its work. There are two
    ways:

    - *Settle later.* The device itself withholds the update if a term or gradient of this half-step, or of one that was
      not read yet, is not finite. :meth:`settle` reads all half-steps, of any number of iterations, with one transfer.
      This needs an optimiser that can do it, see :func:`can_withhold`, and ``'stop'``.
    - *Settle now.* All other half-steps are read between backward pass and update.

    A gradient that overflows under a loss scaler is not checked, because the scaler itself skips that update.

    Args:
        on_nonfinite: ``'stop'`` raises an error. ``'skip'`` drops the half-step with its gradients, including gradients
            accumulated before, restores the normalisation statistics from before the iteration, counts the skipped
            half-step, and continues.
        max_skips: ``'skip'`` raises an error after this many skipped half-steps of one optimiser in a row.

    Attributes:
        iteration: the current iteration.

    Raises:
        ValueError: if ``on_nonfinite`` is another word, or ``max_skips`` is below 1.
    """

    def __init__(self, on_nonfinite: str = 'stop', max_skips: int = 10) -> None:
        if on_nonfinite not in ('stop', 'skip'):
            raise ValueError(f"on_nonfinite must be 'stop' or 'skip', got {on_nonfinite!r}")
        if max_skips < 1:
            raise ValueError(f"max_skips must be at least 1, got {max_skips}; on_nonfinite='stop' skips nothing")
        self.skips, self.max_skips = on_nonfinite == 'skip', max_skips
        self._skipped, self._in_a_row = 0, {}
        self._unread: list[tuple[Iteration, str, dict]] = []  # terms of half-steps on the device
        self._sound: Tensor | None = None  # on the device: whether they are all finite

    @property
    def all_read(self) -> bool:
        """True if no half-step waits for :meth:`settle`."""
        return not self._unread

    def begin(self, model: nn.Module, where: str) -> Iteration:
        """Begin a new iteration, to which the next half-steps belong. See :class:`Iteration` for ``where``."""
        self.iteration = Iteration(where, dict(skipped_steps=float(self._skipped)) if self.skips else {})
        self._model = model
        self._statistics = [buffer.clone() for buffer in model.buffers()] if self.skips else []
        return self.iteration

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
        values, withheld = stacked(terms), None
        self._unread.append((self.iteration, part, dict(zip(terms, values, strict=True))))
        if not self.skips and can_withhold(optim):
            sound = values.isfinite().all()
            self._sound = sound if self._sound is None else self._sound & sound
            withheld = 1 - self._sound.float()
        else:
            before, error = dict(self.iteration.terms), self._read()
            if self.skips and self._any_process(error is not None, loss):
                self.iteration.terms = before  # what was read is of a half-step that is skipped
                return self._skip(part, optim,
                                  str(error or f'another process found what is not finite in {self.iteration.where}.'))
            if error:
                raise error
        self._in_a_row[part] = 0
        if optim.should_update():
            _step(optim, withheld)
            optim.zero_grad()
        return None

    def settle(self) -> None:
        """Read the half-steps that were not read yet and add their terms to those of their iterations.

        Raises:
            NotFiniteError: naming what is not finite in the first faulty half-step and where, then all terms of its
                iteration up to it. Neither this half-step nor a later one has updated anything.
        """
        if self._unread and (error := self._read()):
            raise error

    def _read(self) -> NotFiniteError | None:
        """Read the terms of unread half-steps up to the first faulty one, and return its error."""
        unread, self._unread, self._sound = self._unread, [], None
        for (iteration, part, _), values in zip(unread, as_floats(*(terms for *_, terms in unread)), strict=True):
            fault = fault_in({**iteration.terms, **values}, iteration.where)
            if fault:
                return NotFiniteError(fault, part, iteration)
            iteration.terms.update(
                (name, value) for name, value in values.items() if not name.startswith('gradient of '))
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
        self.iteration.terms['skipped_steps'] = float(self._skipped)
        if self._in_a_row[part] >= self.max_skips:
            raise NotFiniteError(f'{self._in_a_row[part]} half-steps in a row: {fault}', part, self.iteration)
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
