"""Loads configs, chooses the device, joins processes: what every command does between its arguments and the Runner."""

import os
import os.path as osp
import subprocess
from datetime import timedelta
from difflib import get_close_matches

from mmengine.config import Config
from mmengine.device import utils as device_utils
from torch import distributed

from tempseg_mm.engine.checkpoint_files import newest_complete
from tempseg_mm.runtime.command_names import runnable
from tempseg_mm.runtime.project_files import ROOT, find_file
from tempseg_mm.settings.keys import merge_and_check, refuse
from tempseg_mm.settings.overrides import SettingError
from tempseg_mm.settings.walk import MMENGINE_HOOKS

# The variable that shows that a launcher started this process, the one with its rank, and the launcher's command.
LAUNCHED_BY = dict(none='', pytorch='RANK', slurm='SLURM_PROCID', mpi='OMPI_COMM_WORLD_LOCAL_RANK')
RANKS = dict(pytorch='RANK', slurm='SLURM_PROCID', mpi='OMPI_COMM_WORLD_RANK')
STARTERS = dict(pytorch='torchrun', slurm='srun', mpi='mpirun of Open MPI')


def load_config(path: str, *, work_dir: str | None = None, options: dict | None = None,
                faults: list | None = None) -> Config:
    """Load a config, apply the overrides of ``--cfg-options`` and set its work dir (default: ``work_dirs/<config
    name>``).

    Args:
        path: the config file, relative to the working folder or to the folder of the project.
        work_dir: folder for everything that is written.
        options: overrides by dotted key, such as ``{'model.width': 0.25}``.
        faults: a list that receives the settings without effect. If given, they are not an error.

    Raises:
        FileNotFoundError: if there is no such file.
        UnknownSettingError: if nothing reads a setting of the file or of the options.
        SettingError: if an override does not fit the config.
    """
    path = find_file(path)
    if not osp.isfile(path):
        raise FileNotFoundError(_no_config(path))
    cfg = Config.fromfile(path)
    found = merge_and_check(cfg, options)
    if faults is None:
        refuse(found, path)
    else:
        faults.extend(found)
    settle_hooks(cfg)
    cfg.work_dir = work_dir or cfg.get('work_dir') or osp.join('work_dirs', osp.splitext(osp.basename(path))[0])
    return cfg


def _no_config(path: str) -> str:
    names = sorted(str(found.relative_to(ROOT)) for found in (ROOT / 'configs').glob('*.py'))
    near = get_close_matches(path, names, n=1, cutoff=0.7)
    hint = f'did you mean {near[0]}?' if near else f'the configs of the project are in {ROOT / "configs"}'
    return f'no config at {path}: {hint}'


def settle_hooks(cfg: Config) -> None:
    """Drop every entry of ``default_hooks`` that is ``None``, and give a ``CRFHook`` without settings those of ``crf``.

    mmengine drops only hooks of its own names. A config may inherit the hook and set ``crf`` itself, so the settings
    reach the hook here and not where it is written.

    Raises:
        SettingError: if ``default_hooks`` is not a dict, or ``custom_hooks`` not a list.
    """
    hooks = cfg.get('default_hooks', {})
    if not isinstance(hooks, dict):
        raise SettingError(f'default_hooks must be a dict of hooks by name, got {hooks!r}; to switch off a single '
                           'hook, write default_hooks.NAME=None')
    if not isinstance(cfg.get('custom_hooks') or [], list | tuple):
        # custom_hooks.0.type=... makes a dict where there is no list
        raise SettingError(f'custom_hooks must be a list of hooks, got {cfg.custom_hooks!r}; to add one, write a '
                           'config with custom_hooks=[dict(type=...)] that inherits this one')
    for name in [name for name, hook in hooks.items() if hook is None and name not in MMENGINE_HOOKS]:
        del hooks[name]
    for hook in (*hooks.values(), *(cfg.get('custom_hooks') or ())):
        if isinstance(hook, dict) and hook.get('type') == 'CRFHook' and cfg.get('crf'):
            hook.setdefault('crf', cfg.crf)


def use_device(device: str | None) -> None:
    """Make mmengine's Runner use this device, such as ``'cpu'`` despite a GPU; ``None`` keeps mmengine's choice."""
    if device is not None:
        device_utils.DEVICE = device


def join_processes(launcher: str, *, timeout: float = 1800) -> None:
    """Join the processes that a launcher started, through gloo, if they run without a GPU.

    mmengine joins processes that have GPUs, and skips processes that are joined already. Call this after
    :func:`use_device`.

    Args:
        launcher: ``'pytorch'`` (torchrun), ``'slurm'`` (srun), ``'mpi'`` (mpirun), or ``'none'`` for a single process.
        timeout: seconds that a process waits for another one.

    Raises:
        ValueError: if the launcher's variables are not in the environment, or no variable says where rank 0 runs.
    """
    needed = LAUNCHED_BY[launcher]
    if needed and needed not in os.environ:
        raise ValueError(f'--launcher {launcher}, but {needed} is not set: these processes were not started by '
                         f'{STARTERS[launcher]}. Leave --launcher out to run one process')
    if launcher == 'mpi':  # mmengine reads it to wrap the model, but does not set it
        os.environ['LOCAL_RANK'] = os.environ[needed]
    if needed and device_utils.get_device() == 'cpu':  # mmengine's init_dist needs a GPU with any backend
        _set_torch_variables(launcher)
        distributed.init_process_group(backend='gloo', timeout=timedelta(seconds=timeout))


def is_first_process(launcher: str) -> bool:
    """Return whether this is the only or first process that ``launcher`` started, even before they are joined."""
    rank = RANKS.get(launcher)
    return rank is None or int(os.environ.get(rank, 0)) == 0


def _set_torch_variables(launcher: str) -> None:
    """Copy what another launcher says about ranks to the environment variables that torch reads (those of torchrun)."""
    known = os.environ
    if launcher == 'slurm':
        known.update(RANK=known['SLURM_PROCID'], WORLD_SIZE=known['SLURM_NTASKS'],
                     LOCAL_RANK=known.get('SLURM_LOCALID', '0'))
        if 'MASTER_ADDR' not in known:
            shown = subprocess.run(['scontrol', 'show', 'hostnames', known['SLURM_NODELIST']],
                                   capture_output=True, text=True, check=True)
            known['MASTER_ADDR'] = shown.stdout.split()[0]
    elif launcher == 'mpi':
        known.update(RANK=known['OMPI_COMM_WORLD_RANK'], WORLD_SIZE=known['OMPI_COMM_WORLD_SIZE'])
    if 'MASTER_ADDR' not in known:
        raise ValueError(f'{STARTERS[launcher]} does not say where rank 0 runs: set MASTER_ADDR to the name of its '
                         'machine in the environment of all processes')
    known.setdefault('MASTER_PORT', '29500')  # torch's default


def newest_checkpoint(work_dir: str, config: str | None = None) -> str:
    """Return the path of the newest complete checkpoint of a training in ``work_dir``.

    Args:
        work_dir: work dir of the training.
        config: config file of the training, for the error message.

    Raises:
        FileNotFoundError: if there is none.
    """
    found = newest_complete(work_dir)
    if found is None:
        how = f' ({runnable("train", config)})' if config else ''
        raise FileNotFoundError(f'no checkpoint in {work_dir}: train first{how}, or name a checkpoint on the command '
                                "line ('none' for an untrained network)")
    return str(found)
