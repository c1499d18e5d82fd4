"""Ends training in good order when a signal asked for it."""

import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.hooks import Hook

from tempseg_mm.runtime.processes import wait_for_all
from tempseg_mm.runtime.stop_signals import StopSignals

from .atomic_checkpoint_hook import AtomicCheckpointHook


class StopHook(Hook):
    """After the iteration in which a signal came: a checkpoint, unless there is one of this iteration, and the end.

    Registered by ``tempseg_mm.apis.training``, not by name: who listens to signals must also answer with an exit code.

    Args:
        signals: where the signal shows.
    """

    priority = 'LOWEST'  # after schedules and the regular checkpoint

    def __init__(self, signals: StopSignals) -> None:
        self.signals = signals

    def before_train(self, runner) -> None:
        self.signals.listen()

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        if not self._asked() or self.is_last_train_iter(runner):
            return
        savers = [hook for hook in runner.hooks if isinstance(hook, AtomicCheckpointHook)]
        for saver in savers:
            if not saver.every_n_train_iters(runner, saver.interval):
                saver.save(runner)
        wait_for_all()  # the launcher ends all processes as soon as one has ended
        self.signals.stopped = runner.train_loop.stop_training = True
        name = self.signals.received.name if self.signals.received else 'a signal to another process'
        runner.logger.warning(f'{name}: stopped after iteration {runner.iter + 1}, '
                              + ('saved; go on with --resume' if savers else 'not saved: no AtomicCheckpointHook'))

    def _asked(self) -> bool:
        """Whether any process was: all must stop at the same iteration."""
        asked = self.signals.received is not None
        if get_world_size() == 1:
            return asked
        flag = torch.tensor(float(asked))
        all_reduce(flag, 'max')
        return bool(flag)
