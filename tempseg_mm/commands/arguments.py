"""The arguments that several commands share, and the config or network that they select."""

import argparse
from typing import TYPE_CHECKING

from tempseg_mm.runtime.memory import importing, keep_freed_memory
from tempseg_mm.settings.typed_text import ConfigOverrides

from .entry import command_parser

if TYPE_CHECKING:
    from mmengine.config import Config

    from tempseg_mm.apis.inferencer import VOSInferencer

AMP = {'model.compute.amp': True}  # what --amp changes in a config


def config_parser(command: str, description: str, examples: str) -> argparse.ArgumentParser:
    """Build a parser with the config and ``--cfg-options``; arguments as for ``command_parser``."""
    parser = command_parser(command, description, examples)
    parser.add_argument('config', help='config file: your own, or one of the project, such as '
                                       'configs/tempseg_davis.py, which is found from any folder')
    add_overrides(parser)
    return parser


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options``."""
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOverrides, metavar='KEY=VALUE',
                        help='override settings of the config, such as model.width=0.25')


def add_network(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that select the network of a video and its fine-tuning."""
    parser.add_argument('--config', metavar='FILE',
                        help='config that the weights were trained with; default: configs/segment_video.py, or '
                             'configs/segment_video_scratch.py if there are no weights')
    parser.add_argument('--checkpoint', metavar='FILE',
                        help="file written by tempseg-train or tempseg-export; a folder, for the newest one in it; "
                             "'newest', for the newest one in the config's work dir; or 'none', to start from "
                             'scratch; default: the file that the config names if it exists, else none')
    steps = parser.add_mutually_exclusive_group()
    steps.add_argument('--steps', type=int, help="fine-tuning steps per object; default: the config's")
    steps.add_argument('--fast', action='store_true',
                       help="half of the config's steps, and nothing is learnt after the given masks")
    parser.add_argument('--size', type=int, metavar='PIXELS',
                        help='shorter side of the frames that the network sees. If it sees windows, as the default '
                             "weights do: of the frames for optical flow; default: the config's")
    parser.add_argument('--tta', action='store_true',
                        help='test-time augmentation: augment the frames for fine-tuning, and average predictions '
                             'with those of mirrored frames')
    parser.add_argument('--crf', action='store_true',
                        help='refine the masks with the dense CRF even if the config does not')
    parser.add_argument('--seed', type=int, default=0, help='seed of all random draws; default: 0')
    parser.add_argument('--device', help="device, such as 'cpu'; default: the GPU if there is one")
def inferencer_of(args: argparse.Namespace) -> 'VOSInferencer':
    """Load the network that the arguments of :func:`add_network` select."""
    with importing():
        from tempseg_mm.apis.inferencer import VOSInferencer

    keep_freed_memory()
    return VOSInferencer(
        args.config, args.checkpoint, args.device, steps=1 / 2 if args.fast else args.steps, size=args.size,
        tta=args.tta, crf=args.crf, seed=args.seed, cfg_options=args.cfg_options)


def runner_parser(command: str, description: str, examples: str) -> argparse.ArgumentParser:
    """Build the parser of a command with a Runner: adds ``--work-dir``, ``--launcher`` and ``--device`` to
    ``config_parser``.
    """
    parser = config_parser(command, description, examples)
    parser.add_argument('--work-dir', metavar='DIR',
                        help='folder for all output; default: work_dirs/<config name>')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none',
                        help='launcher that started the processes of a distributed run; default: none')
    parser.add_argument('--local-rank', '--local_rank', type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument('--device', help="device, such as 'cpu'; default: the GPU if there is one")
    return parser


def config_from(args: argparse.Namespace) -> 'Config':
    """Load the config that the arguments of a ``runner_parser`` select, and join the processes of a distributed run."""
    with importing():
        from tempseg_mm.apis.config import is_first_process, join_processes, load_config, use_device
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
    """Return the given arguments of a ``runner_parser``, for the command line that resumes the same work.

    The config comes first, and overrides last. The launcher is left out, since it has its own command line.
    """
    words = [args.config]
    for option, value in (('--work-dir', args.work_dir), ('--device', args.device)):
        words += [option, value] if value is not None else []
    overrides = [f'{key}={value}' for key, value in (args.cfg_options or {}).items()]
    return [*words, *(['--cfg-options', *overrides] if overrides else [])]
