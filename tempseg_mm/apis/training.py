"""What ``tools/train.py`` does between its config and its exit code."""

import os
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

from tempseg_mm.engine.checkpoint_files import newest_complete
from tempseg_mm.engine.hooks.stop_hook import StopHook
from tempseg_mm.runtime.closing_block import closing_block, tensorboard_command
from tempseg_mm.runtime.folder_lock import locked
from tempseg_mm.runtime.stop_signals import STOPPED_BY_SIGNAL, StopSignals

from .command_runner import start_runner
from .config import is_first_process


def run_training(cfg: Config, *, then: str | None = None, again: str | None = None) -> int:
    """Train as ``cfg`` says; SIGTERM, SIGINT, SIGHUP and SIGUSR1 end it after the iteration, with a checkpoint.

    Args:
        cfg: of the training.
        then: command line to run when it is through, for its last lines.
        again: command line that goes on with it if it was stopped, likewise.

    Returns:
        0, or 75 if a signal ended it.

    Raises:
        InUseError: if another training is at work in the work dir.
    """
    if cfg.get('randomness', {}).get('deterministic'):
        os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')  # without it torch refuses cuBLAS
    folders = [cfg.work_dir] if is_first_process(cfg.get('launcher', 'none')) else []
    with locked(*folders, option='--work-dir'):
        runner = start_runner(cfg, 'training')
        with StopSignals() as signals:
            runner.register_hook(StopHook(signals))
            runner.train()
        runner.logger.info(closing_lines(runner, {'go on': again} if signals.stopped else {'next': then}))
    return STOPPED_BY_SIGNAL if signals.stopped else 0


def closing_lines(runner: Runner, what_next: dict) -> str:
    """What a training has left and where, and what to do with its checkpoint, if there is one.

    Args:
        runner: of the training.
        what_next: name -> command line.
    """
    checkpoint = newest_complete(runner.work_dir)
    has_curves = any(Path(runner.log_dir).rglob('events.out.tfevents*'))
    return closing_block({
        'checkpoint': checkpoint, 'log': runner.logger.log_file and Path(runner.logger.log_file),
        'curves': tensorboard_command(runner.work_dir) if has_curves else None, **(what_next if checkpoint else {})})
