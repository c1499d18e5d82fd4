"""What every command does between its arguments and the Runner."""

import os.path as osp

import torch
from mmengine.config import Config
from mmengine.device import utils as device_utils
from mmengine.runner import find_latest_checkpoint

MMENGINE_HOOKS = ('runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint')


def load_config(path: str, *, work_dir: str | None = None, options: dict | None = None) -> Config:
    """A config with a work dir (default: ``work_dirs/<config name>``) and the overrides of ``--cfg-options``.

    Raises:
        FileNotFoundError: if there is no such file.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(f'no config at {path}; the ones that come with the project lie in configs/')
    cfg = Config.fromfile(path)
    cfg.merge_from_dict(options or {})
    # mmengine switches a hook of its own off by None; this does so for the others.
    for name in [name for name, hook in cfg.get('default_hooks', {}).items() if hook is None]:
        if name not in MMENGINE_HOOKS:
            del cfg.default_hooks[name]
    cfg.work_dir = work_dir or cfg.get('work_dir') or osp.join('work_dirs', osp.splitext(osp.basename(path))[0])
    return cfg


def use_device(device: str | None) -> None:
    """Make mmengine's Runner work on this device, e.g. ``'cpu'`` on a machine with a GPU; ``None``: its own choice."""
    if device is not None:
        device_utils.DEVICE = device


def join_processes(launcher: str) -> None:
    """On a machine without GPU, join the processes that ``torchrun`` started, through gloo.

    mmengine joins them where there are GPUs, and leaves them alone when they are joined already.
    """
    if launcher == 'pytorch' and not torch.cuda.is_available():
        torch.distributed.init_process_group('gloo')


def newest_checkpoint(work_dir: str) -> str:
    """Path of the checkpoint that a training run in ``work_dir`` wrote last.

    Raises:
        FileNotFoundError: if there is none.
    """
    found = find_latest_checkpoint(work_dir) if osp.isdir(work_dir) else None
    if found is None:
        raise FileNotFoundError(f'no checkpoint in {work_dir}: train first, or name a checkpoint on the command line')
    return found
