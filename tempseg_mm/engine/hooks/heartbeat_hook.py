"""Ends a run of several processes when one of them has died."""

from mmengine.dist import get_world_size
from mmengine.hooks import Hook

from tempseg_mm.registry import HOOKS
from tempseg_mm.runtime.processes import Heartbeat, run_store, wait_for_all


@HOOKS.register_module()
class HeartbeatHook(Hook):
    """Runs a :class:`~tempseg_mm.runtime.processes.Heartbeat` during a run; it does nothing with a single process.

    ``torchrun`` ends all processes when one fails. ``srun`` does so only with ``--kill-on-bad-exit=1``, and a
    collective of NCCL waits until its time-out. With this hook, all processes end within a minute after one has died.

    Args:
        interval: seconds between beats.
        limit: seconds of silence after which a process counts as dead.
    """

    priority = 'VERY_HIGH'

    def __init__(self, interval: float = 5.0, limit: float = 45.0) -> None:
        self.interval, self.limit = interval, limit
        self._heartbeat: Heartbeat | None = None

    def before_run(self, runner) -> None:
        if get_world_size() > 1 and self._heartbeat is None:
            self._heartbeat = Heartbeat(run_store(), interval=self.interval, limit=self.limit)
            self._heartbeat.start()

    def after_run(self, runner) -> None:
        if self._heartbeat is not None:
            wait_for_all()
            self._heartbeat.stop()
            self._heartbeat = None
