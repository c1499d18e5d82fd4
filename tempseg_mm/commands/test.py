"""Fine-tune on the first frames of each sequence of a test split, segment the rest, and score the masks.

All results go to one folder: report.html (a sortable table, the worst frames of each sequence), indexed masks,
scores.json and scores.csv, overlays, the log; with --submission also the archive for a benchmark's server. SIGTERM or
Ctrl-C stop the test at once with exit code 75; --resume then skips the finished sequences.
"""

import argparse
from collections.abc import Sequence

from .arguments import AMP, config_from, runner_parser
from .entry import run_command

EXAMPLES = """\
  %(prog)s configs/tempseg_synthetic.py --baselines
  %(prog)s configs/tempseg_synthetic.py --tta --crf --out mine
  %(prog)s configs/tempseg_davis.py work_dirs/tempseg_davis/iter_10000.pth --sequences blackswan camel
  %(prog)s configs/tempseg_davis.py --cfg-options test_dataloader.dataset.split=dev
  %(prog)s configs/tempseg_davis.py --submission zip --resume
  torchrun --nproc-per-node 4 -m tempseg_mm.commands.test configs/tempseg_davis.py --launcher pytorch --resume
"""


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of this command."""
    parser = runner_parser('test', __doc__, EXAMPLES)
    parser.add_argument('checkpoint', nargs='?',
                        help="file written by tempseg-train or tempseg-export; a folder, for the newest one in it; "
                             "or 'none', for an untrained network; default: the config's `checkpoint`, which is the "
                             'newest one in the work dir unless the config changes it')
    parser.add_argument('--out', metavar='DIR', help='folder for all output; default: <work dir>/test')
    parser.add_argument('--show-dir', metavar='DIR', help='folder for overlays; default: <out>/overlays')
    parser.add_argument('--sequences', nargs='+', metavar='NAME', help='test only these sequences of the split')
    parser.add_argument('--baselines', action='store_true',
                        help='compare with three baselines: copy the mask, move it along the flow, use the untrained '
                             'generator')
    parser.add_argument('--amp', action='store_true', help='fine-tune in bfloat16 mixed precision')
    parser.add_argument('--tta', action='store_true',
                        help='test-time augmentation: augment the frames for fine-tuning, and average predictions '
                             'with those of mirrored frames')
    parser.add_argument('--crf', action='store_true',
                        help='refine the masks with the dense CRF; `crf` of the config, if it exists, sets it up')
    parser.add_argument('--submission', nargs='+', choices=('zip', 'coco'), metavar='zip|coco',
                        help="pack the masks: 'zip' for the archive that a benchmark's server takes, 'coco' for COCO "
                             'JSON of all sequences; with --resume also after a finished test')
    parser.add_argument('--resume', action='store_true',
                        help='skip the sequences that an earlier run finished; the scores are the same as without a '
                             'stop')
    return parser


def run(args: argparse.Namespace) -> None:
    """Run the test."""
    from tempseg_mm.apis.testing import choose_checkpoint, hand_in, run_test, skip_finished, switch_on

    cfg = config_from(args)
    cfg.load_from = choose_checkpoint(cfg, args.checkpoint)
    if args.out:
        cfg.test_cfg.out_dir = args.out
    if args.show_dir:
        switch_on(cfg, 'overlays', dict(type='OverlayHook'))
        cfg.default_hooks.overlays.out_dir = args.show_dir
    if args.sequences:
        cfg.test_dataloader.dataset.sequences = args.sequences
    if args.baselines:
        switch_on(cfg, 'baselines', dict(type='BaselineHook'))
    if args.amp:
        cfg.merge_from_dict(AMP)
    if args.tta:
        switch_on(cfg, 'tta', dict(type='TTAHook'))
    if args.crf:
        switch_on(cfg, 'crf', dict(type='CRFHook', crf=cfg.get('crf')))
    if args.submission:
        hand_in(cfg, args.submission)
    if args.resume:
        skip_finished(cfg)
    run_test(cfg)


def main(argv: Sequence[str] | None = None) -> None:
    """Run ``tempseg-test``."""
    run_command(make_parser, run, argv, kept='finished sequences are kept; continue with --resume')


if __name__ == '__main__':
    main()
