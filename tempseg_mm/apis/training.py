"""What ``tempseg-train`` does between its config and its exit code."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.runner import Runner

from tempseg_mm.engine.checkpoint_files import newest_complete
from tempseg_mm.engine.hooks.stop_hook import StopHook
from tempseg_mm.runtime.closing_block import closing_block, tensorboard_command
from tempseg_mm.runtime.folder_lock import locked
from tempseg_mm.runtime.stop_signals import STOPPED_BY_SIGNAL, StopSignals

from .command_runner import start_runner
from .config import is_first_process

SLOW_BFLOAT16 = ('bfloat16 (--amp) is slow on a CPU without instructions for it: with AVX2 alone an iteration of '
                 'configs/tempseg_synthetic.py took 12 to 14 times as long, with --deterministic or without. It is '
                 'meant for a GPU; leave it out here')


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
        if get_device() == 'cpu' and 'BF16OptimWrapper' in _types(cfg.get('optim_wrapper')):
            runner.logger.warning(SLOW_BFLOAT16)
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


def _types(part: Any) -> Iterator[str]:
    """Every ``type`` in a config."""
    if isinstance(part, Mapping):
        yield str(part.get('type'))
        for value in part.values():
            yield from _types(value)
