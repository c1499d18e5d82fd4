"""What ``tools/train.py`` does between its config and its exit code."""

import os

from mmengine.config import Config
from mmengine.runner import Runner

from tempseg_mm.engine.hooks.stop_hook import StopHook
from tempseg_mm.runtime.folder_lock import locked
from tempseg_mm.runtime.stop_signals import STOPPED_BY_SIGNAL, StopSignals

from .config import is_first_process


def run_training(cfg: Config) -> int:
    """Train as ``cfg`` says; SIGTERM, SIGINT, SIGHUP and SIGUSR1 end it after the iteration, with a checkpoint.

    Returns:
        0, or 75 if a signal ended it.

    Raises:
        InUseError: if another training is at work in the work dir.
    """
    if cfg.get('randomness', {}).get('deterministic'):
        os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')  # without it torch refuses cuBLAS
    folders = [cfg.work_dir] if is_first_process(cfg) else []
    with locked(*folders, option='--work-dir'):
        runner = Runner.from_cfg(cfg)
        with StopSignals() as signals:
            runner.register_hook(StopHook(signals))
            runner.train()
    return STOPPED_BY_SIGNAL if signals.stopped else 0
