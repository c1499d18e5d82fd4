from .command_line import config_from, runner_parser
from .config import join_processes, load_config, newest_checkpoint, use_device

__all__ = ['config_from', 'join_processes', 'load_config', 'newest_checkpoint', 'runner_parser', 'use_device']
