from .config import join_processes, load_config, newest_checkpoint, use_device

__all__ = ['join_processes', 'load_config', 'newest_checkpoint', 'use_device']
