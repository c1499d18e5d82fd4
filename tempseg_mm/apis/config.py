"""What every command does between its arguments and the Runner."""

import os
import os.path as osp
from unittest import mock

import torch
from mmengine.config import Config
from mmengine.device import utils as device_utils
from mmengine.dist import init_dist

from tempseg_mm.engine.checkpoint_files import newest_complete

from .overrides import merge_overrides

# What shows that a launcher started a process, and how it is called.
LAUNCHED_BY = dict(none='', pytorch='RANK', slurm='SLURM_PROCID', mpi='OMPI_COMM_WORLD_LOCAL_RANK')
STARTERS = dict(pytorch='torchrun', slurm='srun', mpi='mpirun of Open MPI')
MMENGINE_HOOKS = ('runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint')


def load_config(path: str, *, work_dir: str | None = None, options: dict | None = None) -> Config:
    """A config with a work dir (default: ``work_dirs/<config name>``) and the overrides of ``--cfg-options``.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: for overrides that do not fit the config.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(f'no config at {path}; the ones that come with the project lie in configs/')
    cfg = Config.fromfile(path)
    merge_overrides(cfg, options or {})
    drop_switched_off(cfg)
    cfg.work_dir = work_dir or cfg.get('work_dir') or osp.join('work_dirs', osp.splitext(osp.basename(path))[0])
    return cfg


def drop_switched_off(cfg: Config) -> None:
    """Drop every entry of ``default_hooks`` that is ``None``. mmengine does so for hooks of its own names alone.

    Raises:
        ValueError: if ``default_hooks`` is no dict.
    """
    hooks = cfg.get('default_hooks', {})
    if not isinstance(hooks, dict):
        raise ValueError(f'default_hooks must be a dict of hooks by name, got {hooks!r}; a single one is switched off '
                         'by default_hooks.NAME=None')
    for name in [name for name, hook in hooks.items() if hook is None and name not in MMENGINE_HOOKS]:
        del hooks[name]


def use_device(device: str | None) -> None:
    """Make mmengine's Runner work on this device, e.g. ``'cpu'`` on a machine with a GPU; ``None``: its own choice."""
    if device is not None:
        device_utils.DEVICE = device


def join_processes(launcher: str, *, timeout: float = 1800) -> None:
    """Join the processes that a launcher started, through gloo, if they are to work without a GPU.

    mmengine joins them where there are GPUs, and leaves them alone when they are joined already. To be called after
    :func:`use_device`.

    Args:
        launcher: ``'pytorch'`` (torchrun), ``'slurm'`` (srun), ``'mpi'`` (mpirun); ``'none'``: there is one process.
        timeout: seconds that a process waits for another one.

    Raises:
        ValueError: if the launcher's variables are not in the environment.
    """
    needed = LAUNCHED_BY[launcher]
    if needed and needed not in os.environ:
        raise ValueError(f'--launcher {launcher}, but {needed} is not set: these processes were not started by '
                         f'{STARTERS[launcher]}. Without it, leave --launcher out')
    if launcher == 'mpi':  # mmengine wraps the model by it, and does not set it
        os.environ['LOCAL_RANK'] = os.environ[needed]
    if needed and device_utils.get_device() == 'cpu':
        with mock.patch.object(torch.cuda, 'set_device'):  # the one thing in mmengine's way that needs a GPU
            init_dist(launcher, backend='gloo', timeout=timeout)


def newest_checkpoint(work_dir: str) -> str:
    """Path of the whole checkpoint that a training run in ``work_dir`` wrote last.

    Raises:
        FileNotFoundError: if there is none.
    """
    found = newest_complete(work_dir)
    if found is None:
        raise FileNotFoundError(f'no checkpoint in {work_dir}: train first, or name a checkpoint on the command line')
    return str(found)
