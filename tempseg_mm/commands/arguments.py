"""The arguments that commands share, and the config they make."""

import argparse
from typing import TYPE_CHECKING

from tempseg_mm.settings.typed_text import ConfigOverrides

from .entry import command_parser

if TYPE_CHECKING:
    from mmengine.config import Config

    from tempseg_mm.apis.inferencer import VOSInferencer


def config_parser(command: str, description: str, examples: str) -> argparse.ArgumentParser:
    """A parser with the config and ``--cfg-options``; arguments as of ``command_parser``."""
    parser = command_parser(command, description, examples)
    parser.add_argument('config', help='config file, e.g. configs/tempseg_davis.py: yours, or one that comes with the '
                                       'project, wherever you work')
    add_overrides(parser)
    return parser


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """Adds ``--cfg-options``."""
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOverrides, metavar='KEY=VALUE',
                        help='override settings of the config, e.g. model.width=0.25')


def add_network(parser: argparse.ArgumentParser) -> None:
    """Adds what says which network follows objects through a video, and how it is fine-tuned."""
    parser.add_argument('--config', metavar='FILE',
                        help='that the weights were trained with; default: configs/segment_video.py, and without '
                             'weights configs/segment_video_scratch.py if it is there')
    parser.add_argument('--checkpoint', metavar='FILE',
                        help="of tempseg-train or tempseg-export, a folder to take the newest one of, or "
                             "'newest' in the config's work dir, or 'none' for random numbers; default: the file that "
                             'the config names if it is there, else random numbers')
    steps = parser.add_mutually_exclusive_group()
    steps.add_argument('--steps', type=int, help="of fine-tuning, for each object; default: the config's")
    steps.add_argument('--fast', action='store_true',
                       help='a third of the steps: a third less time for a video; J on DAVIS was 0.793, not 0.813')
    parser.add_argument('--size', type=int, metavar='PIXELS',
                        help='shorter side of the frames that the network sees, or where it sees windows, as with the '
                             "default weights, of those that flow is estimated on; default: the config's")
    parser.add_argument('--tta', action='store_true',
                        help='test-time augmentation: of the frames fine-tuned on, and of predictions, by mirroring')
    parser.add_argument('--crf', action='store_true', help='refine the masks with the dense CRF, slowly')
    parser.add_argument('--seed', type=int, default=0, help='of all random draws; default: 0')
    parser.add_argument('--device', help="e.g. 'cpu' to leave a GPU alone; default: the GPU if there is one")


def inferencer_of(args: argparse.Namespace) -> 'VOSInferencer':
    """The network that the arguments of :func:`add_network` ask for, loaded."""
    from tempseg_mm.apis.inferencer import VOSInferencer
    from tempseg_mm.runtime.memory import keep_freed_memory

    keep_freed_memory()
    return VOSInferencer(
        args.config, args.checkpoint, args.device, steps=1 / 3 if args.fast else args.steps, size=args.size,
        tta=args.tta, crf=args.crf, seed=args.seed, cfg_options=args.cfg_options)


def runner_parser(command: str, description: str, examples: str) -> argparse.ArgumentParser:
    """A parser with ``--work-dir``, ``--launcher`` and ``--device``, too, for commands with a Runner."""
    parser = config_parser(command, description, examples)
    parser.add_argument('--work-dir', metavar='DIR',
                        help='where everything is written; default: work_dirs/<config name>')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none',
                        help='how the processes of a distributed run are started')
    parser.add_argument('--local-rank', '--local_rank', type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument('--device', help="e.g. 'cpu' to leave a GPU alone; default: the GPU if there is one")
    return parser


def config_from(args: argparse.Namespace) -> 'Config':
    """The config that the arguments of a ``runner_parser`` ask for; joins the processes of a distributed run."""
    from tempseg_mm.apis.config import is_first_process, join_processes, load_config, use_device
    from tempseg_mm.runtime.memory import keep_freed_memory
    from tempseg_mm.runtime.terminal import set_up_terminal

    keep_freed_memory()
    set_up_terminal(speaks=is_first_process(args.launcher))
    cfg = load_config(args.config, work_dir=args.work_dir, options=args.cfg_options)
    use_device(args.device)
    dist_cfg = cfg.get('env_cfg', {}).get('dist_cfg', {})
    join_processes(args.launcher, timeout=dist_cfg.get('timeout', 1800))
    cfg.launcher = args.launcher
    return cfg


def typed(args: argparse.Namespace) -> list[str]:
    """What was typed of the arguments of a ``runner_parser``, for the command line that goes on with the same work.

    The config comes first, and overrides last. The launcher is left out: it starts from a command line of its own.
    """
    words = [args.config]
    for option, value in (('--work-dir', args.work_dir), ('--device', args.device)):
        words += [option, value] if value is not None else []
    overrides = [f'{key}={value}' for key, value in (args.cfg_options or {}).items()]
    return [*words, *(['--cfg-options', *overrides] if overrides else [])]
