from .command_line import config_from, runner_parser
from .config import join_processes, load_config, newest_checkpoint, use_device
from .crf_tuning import tune_crf, verdict
from .testing import add_hook, choose_checkpoint, run_test

__all__ = [
    'add_hook', 'choose_checkpoint', 'config_from', 'join_processes', 'load_config', 'newest_checkpoint', 'run_test',
    'runner_parser', 'tune_crf', 'use_device', 'verdict',
]
