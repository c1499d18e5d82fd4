"""Fill a flow cache: estimate the flow of every frame pair that a config's training and test will read, once.

Existing entries stay, so a run that was stopped continues. A cache of another provider or of other parameters is
refused. If the config has a `CachedFlow`, that cache is filled; else --cache-dir names one for the config's provider,
and the last printed line is the setting to put into the config. docs/flow.md has the details.
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
    """Build the parser of this command."""
    parser = config_parser('precompute_flow', __doc__, EXAMPLES)
    parser.add_argument('--part', choices=['train', 'test'], nargs='+', default=['train', 'test'],
                        help='data of the config to go through; default: both')
    parser.add_argument('--cache-dir', metavar='DIR',
                        help="folder of the cache; default: the folder of the config's CachedFlow")
    parser.add_argument('--dtype', choices=['float32', 'float16'],
                        help='float32 writes .flo files, float16 writes .npy files of half the size; default: the '
                             "config's, or float32")
    parser.add_argument('--workers', type=int, metavar='N',
                        help='number of worker processes; 0 uses only this process; default: one per core, at most 4')
    parser.add_argument('--device', default='cpu',
                        help="'cuda' to run a network on a GPU, in one process; default: cpu")
    return parser


def run(args: argparse.Namespace) -> None:
    """Fill the cache and print the setting that reads it."""
    from tempseg_mm.apis.config import load_config
    from tempseg_mm.apis.flow_cache import fill_cache

    done = fill_cache(load_config(args.config, options=args.cfg_options), parts=args.part, cache_dir=args.cache_dir,
                      dtype=args.dtype, workers=args.workers, device=args.device, log=print)
    print(f'{done.num_pairs} frame pairs, {done.num_estimated} of them new\nflow = {done.provider}')


def main(argv: Sequence[str] | None = None) -> None:
    """Run ``tempseg-precompute-flow``."""
    run_command(make_parser, run, argv)


if __name__ == '__main__':
    main()
