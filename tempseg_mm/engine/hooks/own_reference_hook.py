"""Raises the share of training clips that get the generator's own masks as reference masks."""

from mmengine.hooks import Hook

from tempseg_mm.registry import HOOKS


@HOOKS.register_module()
class OwnReferenceHook(Hook):
    """Schedules the use of the network's own masks: none before ``begin``, rising linearly to ``prob`` at ``end``.

    Paper note: in a test the reference is the network's own mask, in training the deformed ground truth; this closes
    the gap once the masks are worth something (paper note P16). Costs a second pass over the clips concerned.

    Args:
        prob: share of the clips from ``end`` on, in [0, 1].
        begin: iteration, as schedules count them.
        end: iteration, as schedules count them; default: the last.

    Raises:
        ValueError: if ``prob`` is outside [0, 1]; from ``before_train``, if ``end`` is not after ``begin``, or if the
            model takes no reference masks.
    """

    def __init__(self, prob: float = 0.5, begin: int = 0, end: int | None = None) -> None:
        if not 0 <= prob <= 1:
            raise ValueError(f'prob must be in [0, 1], got {prob}')
        self.prob, self.begin, self.end = prob, begin, end

    def before_train(self, runner) -> None:
        if not runner.train_loop.model.uses_reference:
            raise ValueError("OwnReferenceHook needs reference masks: set model.generator.reference_mask='input'")
        self._end = runner.train_loop.scheduled[1] if self.end is None else self.end
        if self._end <= self.begin:
            raise ValueError(f'end must be after begin, got {self._end} and {self.begin}')

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        share = (runner.train_loop.scheduled[0] - self.begin) / (self._end - self.begin)
        runner.train_loop.model.own_reference_prob = self.prob * min(max(share, 0.0), 1.0)
