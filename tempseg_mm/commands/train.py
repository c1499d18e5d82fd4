"""Train a model from a config; checkpoints, logs and TensorBoard pictures go to the work dir.

SIGTERM, SIGHUP, SIGUSR1 or Ctrl-C stop the training after the current iteration, with a checkpoint and exit code 75.
--resume then continues as if there had been no stop. A second Ctrl-C stops at once.
"""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tempseg_mm.runtime.command_names import runnable

from .arguments import AMP, config_from, runner_parser, typed
from .entry import run_command

if TYPE_CHECKING:
    from mmengine.config import Config

EXAMPLES = """\
  %(prog)s configs/tempseg_synthetic.py
  %(prog)s configs/tempseg_davis.py --amp --work-dir runs/davis
  %(prog)s configs/tempseg_davis.py --resume
  %(prog)s configs/tempseg_davis.py --cfg-options model.width=0.25 train_dataloader.dataset.size=128,224
"""


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of this command."""
    parser = runner_parser('train', __doc__, EXAMPLES)
    parser.add_argument('--resume', nargs='?', const='auto', metavar='auto|PATH',
                        help='continue from the newest checkpoint of the work dir, or from the one at PATH')
    parser.add_argument('--amp', action='store_true', help='train in bfloat16 mixed precision')
    parser.add_argument('--deterministic', action='store_true',
                        help='give the same weights for the same seed. A CPU does so without this option. On a GPU, '
                             'training stops with an error if PyTorch has no deterministic operation for a layer; all '
                             'layers of this package have one')
    return parser


def run(args: argparse.Namespace) -> int:
    """Train; return 75 if a signal stopped the training, else 0."""
    from tempseg_mm.apis.training import run_training

    cfg = config_from(args)
    cfg.resume = args.resume is not None
    if args.resume not in (None, 'auto'):
        cfg.load_from = args.resume
    if args.amp:
        cfg.merge_from_dict(AMP)
    if args.deterministic:
        cfg.merge_from_dict({'randomness.deterministic': True})
    return run_training(cfg, **what_next(cfg, args))


def what_next(cfg: 'Config', args: argparse.Namespace) -> dict:
    """Return the command lines that a training ends with: ``then`` tests it, ``again`` resumes it if it was stopped."""
    from tempseg_mm.apis.testing import NEWEST

    config, *options = typed(args)
    flags = [f'--{name}' for name in ('amp', 'deterministic') if getattr(args, name)]
    checkpoint = [cfg.work_dir] if cfg.get('checkpoint', NEWEST) != NEWEST else []  # else a test finds it by itself
    return dict(then=runnable('test', config, *checkpoint, *options) if cfg.get('test_dataloader') else None,
                again=runnable('train', config, '--resume', *flags, *options) if args.launcher == 'none' else None)


def main(argv: Sequence[str] | None = None) -> None:
    """Run ``tempseg-train``."""
    run_command(make_parser, run, argv)


if __name__ == '__main__':
    main()
