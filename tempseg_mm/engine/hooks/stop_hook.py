"""Ends training in good order when a signal asked for it."""

import torch
from mmengine.dist import all_reduce, get_world_size, is_main_process
from mmengine.hooks import Hook

from tempseg_mm.runtime.processes import wait_for_all
from tempseg_mm.runtime.stop_signals import StopSignals


class StopHook(Hook):
    """Has training stop after the iteration in which a signal came to any process, and says at the end how it went.

    What is saved then is up to the hook that saves, which comes later in the same stage and sees
    ``train_loop.stop_training``. Registered by ``tempseg_mm.apis.training``, not by name: who listens to signals must
    also answer with an exit code.

    Args:
        signals: where the signal shows; ``stopped`` is set at the end of a training that is not through.
    """

    priority = 'VERY_LOW'  # before AtomicCheckpointHook

    def __init__(self, signals: StopSignals) -> None:
        self.signals = signals
        self._stops = False
        self._saved_at: int | None = None

    def before_train(self, runner) -> None:
        self.signals.listen()

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        if not self._stops and not self.is_last_train_iter(runner) and self._asked():
            self._stops = runner.train_loop.stop_training = True

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        if 'optimizer' in checkpoint:  # else weights alone, the best ones: training cannot go on from them
            self._saved_at = checkpoint['meta']['iter']

    def after_train(self, runner) -> None:
        if not self._stops or runner.iter >= runner.max_iters:  # an epoch is finished first: it may be the last one
            return
        wait_for_all()  # the launcher ends all processes as soon as one has ended
        self.signals.stopped = True
        if is_main_process():  # the one that saves
            name = self.signals.received.name if self.signals.received else 'a signal to another process'
            saved = self._saved_at == runner.iter
            runner.logger.warning(f'{name}: stopped after iteration {runner.iter}, '
                                  + ('saved; go on with --resume' if saved else 'not saved: no AtomicCheckpointHook'))

    def _asked(self) -> bool:
        """Whether any process was: all must stop at the same iteration."""
        asked = self.signals.received is not None
        if get_world_size() == 1:
            return asked
        flag = torch.tensor(float(asked))
        all_reduce(flag, 'max')
        return bool(flag)
