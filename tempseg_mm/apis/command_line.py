"""The arguments that every command with a Runner shares, and the config they make."""

import argparse

from mmengine.config import Config

from tempseg_mm.runtime.memory import keep_freed_memory
from tempseg_mm.settings.overrides import ConfigOverrides, SettingError

from .config import join_processes, load_config, use_device


def runner_parser(description: str, examples: str) -> argparse.ArgumentParser:
    """A parser with the config, ``--work-dir``, ``--cfg-options``, ``--launcher`` and ``--device``.

    Args:
        description: what the command does.
        examples: indented command lines, shown below the options.
    """
    parser = argparse.ArgumentParser(
        description=description, epilog=f'examples:\n{examples}', formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_defaults(refuse=parser.error)
    parser.add_argument('config', help='config file, e.g. configs/tempseg_davis.py')
    parser.add_argument('--work-dir', metavar='DIR',
                        help='where everything is written; default: work_dirs/<config name>')
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOverrides, metavar='KEY=VALUE',
                        help='override settings of the config, e.g. model.width=0.25')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none',
                        help='how the processes of a distributed run are started')
    parser.add_argument('--local-rank', '--local_rank', type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument('--device', help="e.g. 'cpu' to leave a GPU alone; default: the GPU if there is one")
    return parser


def config_from(args: argparse.Namespace) -> Config:
    """The config that parsed arguments ask for; joins the processes of a distributed run.

    Settings that nothing reads end the command with a message, as wrong arguments do.
    """
    keep_freed_memory()
    try:
        cfg = load_config(args.config, work_dir=args.work_dir, options=args.cfg_options)
    except SettingError as error:
        args.refuse(str(error))
    use_device(args.device)
    dist_cfg = cfg.get('env_cfg', {}).get('dist_cfg', {})
    join_processes(args.launcher, timeout=dist_cfg.get('timeout', 1800))
    cfg.launcher = args.launcher
    return cfg
