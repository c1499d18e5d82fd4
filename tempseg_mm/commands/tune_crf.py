"""Tune the dense CRF on training sequences and write its settings as a config fragment.

The network segments the sequences once; then the search scores settings by J and F on some of their frames. The file
holds `crf = dict(type='DenseCRF', ...)`, which `tempseg-test --crf` reads from a config. To use it, replace the file in
configs/_base_/crf that is a base of your config, or add it to `_base_` of a config without `crf`, or copy its lines.
"""

import argparse
from collections.abc import Sequence

from .arguments import config_from, runner_parser
from .entry import run_command

EXAMPLES = """\
  %(prog)s configs/tempseg_synthetic.py --out configs/_base_/crf/synthetic.py
  %(prog)s configs/tempseg_davis.py work_dirs/tempseg_davis/iter_10000.pth --out crf.py --trials 60
"""


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of this command."""
    parser = runner_parser('tune_crf', __doc__, EXAMPLES)
    parser.add_argument('checkpoint', nargs='?', help="as for tempseg-test; default: the config's `checkpoint`")
    parser.add_argument('--out', required=True, metavar='FRAGMENT.py', help='file to write')
    parser.add_argument('--split', nargs='+', default=['train'], metavar='NAME',
                        help='sequences to tune on, which must not be test sequences: a split, or the names of '
                             'several sequences; default: train')
    parser.add_argument('--sequences', nargs='+', metavar='NAME', help='use only these sequences of the split')
    parser.add_argument('--trials', type=int, default=40, help='number of settings to try; default: 40')
    parser.add_argument('--frames-per-sequence', type=int, default=3, metavar='K',
                        help='frames per sequence to score them on; default: 3')
    parser.add_argument('--seed', type=int, default=0, help='seed of the search; default: 0')
    parser.add_argument('--workers', type=int, help='number of processes for the CRF; default: one per core, at most 4')
    return parser


def run(args: argparse.Namespace) -> None:
    """Tune the CRF and print what it gained."""
    from tempseg_mm.apis.crf_tuning import tune_crf, verdict
    from tempseg_mm.apis.testing import choose_checkpoint

    cfg = config_from(args)
    cfg.load_from = choose_checkpoint(cfg, args.checkpoint)
    if args.sequences:
        cfg.test_dataloader.dataset.sequences = args.sequences
    split = args.split[0] if len(args.split) == 1 else args.split
    report = tune_crf(cfg, args.out, split=split, trials=args.trials, seed=args.seed, workers=args.workers,
                      frames_per_sequence=args.frames_per_sequence)
    print(f'{verdict(report)}\n{args.out}: {report.settings}')


def main(argv: Sequence[str] | None = None) -> None:
    """Run ``tempseg-tune-crf``."""
    run_command(make_parser, run, argv)


if __name__ == '__main__':
    main()
