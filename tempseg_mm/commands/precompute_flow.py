"""Fill a flow cache: the flow of every pair of frames that a config's training and test will ask for, once and for all.

What is there already stays, so a run that was stopped goes on where it was. A cache that was filled by another provider
or with other parameters is refused. The config's own `CachedFlow` is filled, or the cache that --cache-dir names is put
before its provider; the last line printed is what to put into a config then. docs/flow.md has the rest.
"""

import argparse
from collections.abc import Sequence

from .arguments import config_parser
from .entry import run_command

EXAMPLES = """\
  %(prog)s configs/tempseg_davis.py --cache-dir data/flow/davis_dis --workers 2
  %(prog)s configs/tempseg_davis.py --part test --cache-dir data/flow/half --dtype float16
  %(prog)s configs/tempseg_davis.py --cache-dir data/flow/flownet2 --device cuda --cfg-options \\
      model.data_preprocessor.flow.type=FlowNet2Flow model.data_preprocessor.flow.weights=FlowNet2_checkpoint.pth.tar
"""


def make_parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    parser = config_parser('precompute_flow', __doc__, EXAMPLES)
    parser.add_argument('--part', choices=['train', 'test'], nargs='+', default=['train', 'test'],
                        help='which data of the config; default: both')
    parser.add_argument('--cache-dir', metavar='DIR', help="default: that of the config's CachedFlow")
    parser.add_argument('--dtype', choices=['float32', 'float16'],
                        help='.flo files, or .npy of half the size; default: that of the config, or float32')
    parser.add_argument('--workers', type=int, metavar='N',
                        help='processes, 0: none but this one; default: one a core, at most 4')
    parser.add_argument('--device', default='cpu', help="'cuda' for a network on a GPU, in one process; default: cpu")
    return parser


def run(args: argparse.Namespace) -> None:
    """Fills the cache, and prints the setting that reads it."""
    from tempseg_mm.apis.config import load_config
    from tempseg_mm.apis.flow_cache import fill_cache

    done = fill_cache(load_config(args.config, options=args.cfg_options), parts=args.part, cache_dir=args.cache_dir,
                      dtype=args.dtype, workers=args.workers, device=args.device, log=print)
    print(f'{done.num_pairs} pairs of frames, {done.num_estimated} of them new\nflow = {done.provider}')


def main(argv: Sequence[str] | None = None) -> None:
    """``tempseg-precompute-flow``."""
    run_command(make_parser, run, argv)


if __name__ == '__main__':
    main()
