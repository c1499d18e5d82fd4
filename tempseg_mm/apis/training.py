"""Runs a training and returns its exit code, for ``tempseg-train``."""

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
    """Train as ``cfg`` says. SIGTERM, SIGINT, SIGHUP or SIGUSR1 stop the training after an iteration, with a
    checkpoint.

    Args:
        cfg: config of the training.
        then: command line to run after the training, shown in its last lines.
        again: command line that resumes a stopped training, shown in its last lines.

    Returns:
        Exit code: 0, or 75 if a signal stopped the training.

    Raises:
        InUseError: if another training runs in the work dir.
    """
    if cfg.get('randomness', {}).get('deterministic'):
        os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')  # torch refuses deterministic cuBLAS without it
    folders = [cfg.work_dir] if is_first_process(cfg.get('launcher', 'none')) else []
    with locked(*folders, option='--work-dir'):
        runner = start_runner(cfg, 'training')
        with StopSignals() as signals:
            runner.register_hook(StopHook(signals))
            runner.train()
        runner.logger.info(closing_lines(runner, {'resume': again} if signals.stopped else {'next': then}))
    return STOPPED_BY_SIGNAL if signals.stopped else 0


def closing_lines(runner: Runner, what_next: dict) -> str:
    """List the files that a training wrote and, if there is a checkpoint, the commands of ``what_next`` (name ->
    command).
    """
    checkpoint = newest_complete(runner.work_dir)
    has_curves = any(Path(runner.log_dir).rglob('events.out.tfevents*'))
    return closing_block({
        'checkpoint': checkpoint, 'log': runner.logger.log_file and Path(runner.logger.log_file),
        'curves': tensorboard_command(runner.work_dir) if has_curves else None, **(what_next if checkpoint else {})})
