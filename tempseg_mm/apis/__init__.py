from .config import load_config, newest_checkpoint, use_device

__all__ = ['load_config', 'newest_checkpoint', 'use_device']
