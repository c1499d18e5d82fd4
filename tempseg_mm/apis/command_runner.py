"""The Runner of the commands: prints little on the terminal, and first says what a run does and where it writes."""

import io
from contextlib import redirect_stdout

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import get_world_size
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from tempseg_mm.runtime.closing_block import seen_from_here
from tempseg_mm.runtime.project_files import seen_from_project
from tempseg_mm.runtime.terminal import LOG_ONLY, speak_briefly

SLOW_BFLOAT16 = ('bfloat16 (--amp) is slow on a CPU without instructions for it: on one with AVX2 only, an iteration '
                 'of configs/tempseg_synthetic.py took 12 to 14 times as long, with or without --deterministic. --amp '
                 'is meant for GPUs; leave it out here')


class CommandRunner(Runner):
    """mmengine's Runner, except that its report on environment, config and hooks goes only to the log file."""

    def build_logger(self, *args, **kwargs) -> MMLogger:
        """Build the logger and keep its terminal output brief; the Runner calls this before it logs anything."""
        logger = super().build_logger(*args, **kwargs)
        speak_briefly(logger)
        return logger

    def load_checkpoint(self, *args, **kwargs) -> dict:
        """Load initial weights or a checkpoint to resume, and log what mmengine prints while it reads the file."""
        printed = io.StringIO()
        try:
            with redirect_stdout(printed):
                return super().load_checkpoint(*args, **kwargs)
        finally:
            for line in printed.getvalue().splitlines():
                self.logger.info(line, extra=LOG_ONLY)


def start_runner(cfg: Config, doing: str) -> Runner:
    """Build the Runner of a command; log what it does (``doing``, such as ``'training'``), its device, and where it
    writes. Warn of bfloat16 on a CPU.
    """
    runner = CommandRunner.from_cfg(cfg)
    what = f' {seen_from_project(cfg.filename)}' if cfg.filename else ''
    runner.logger.info(f'{doing}{what} on {device_in_words()}')
    runner.logger.info(f'writing to {seen_from_here(runner.work_dir)}; settings and all numbers are in '
                       f'{seen_from_here(runner.logger.log_file)}')
    if get_device() == 'cpu' and (cfg.model.get('compute') or {}).get('amp'):
        runner.logger.warning(SLOW_BFLOAT16)
    return runner


def device_in_words() -> str:
    """Describe mmengine's device: the GPU, or the CPU and its threads, and the number of processes if several."""
    device, threads = get_device(), torch.get_num_threads()
    name = torch.cuda.get_device_name() if device.startswith('cuda') else device if device != 'cpu' else \
        f'the CPU ({threads} thread{"s" if threads > 1 else ""})'
    return name if get_world_size() == 1 else f'{get_world_size()} processes, each on {name}'
