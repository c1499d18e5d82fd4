"""Ends training in an orderly way after a signal."""

import torch
from mmengine.dist import all_reduce, get_world_size, is_main_process
from mmengine.hooks import Hook

from tempseg_mm.runtime.processes import wait_for_all
from tempseg_mm.runtime.stop_signals import StopSignals


class StopHook(Hook):
    """Stops training after the iteration in which any process received a signal, and logs the end.

    The hook that saves checkpoints comes later in the same stage and sees ``train_loop.stop_training``. This hook is
    registered by ``tempseg_mm.apis.training`` and not by name in a config, because the program that listens to signals
    must also answer with an exit code.

    Args:
        signals: the received signals. The hook sets ``stopped`` if training ends before it is complete.
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
        if 'optimizer' in checkpoint:  # otherwise only the best weights, from which training cannot resume
            self._saved_at = checkpoint['meta']['iter']

    def after_train(self, runner) -> None:
        if not self._stops or runner.iter >= runner.max_iters:  # the epoch is finished first and may be the last
            return
        wait_for_all()  # the launcher ends all processes as soon as one has ended
        self.signals.stopped = True
        if is_main_process():  # the one that saves
            name = self.signals.received.name if self.signals.received else 'a signal to another process'
            saved = self._saved_at == runner.iter
            runner.logger.warning(f'{name}: stopped after iteration {runner.iter}, '
                                  + ('saved; continue with --resume' if saved else
                                     'not saved: no AtomicCheckpointHook'))

    def _asked(self) -> bool:
        """Return True if any process received a signal: all must stop at the same iteration."""
        asked = self.signals.received is not None
        if get_world_size() == 1:
            return asked
        flag = torch.tensor(float(asked))
        all_reduce(flag, 'max')
        return bool(flag)
