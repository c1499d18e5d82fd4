"""Segment the sequences of a test split, fine-tuning on the first frames of each, and score them.

Writes to one folder: report.html (a table to sort, the worst frames of each sequence), indexed masks, scores.json and
scores.csv, overlays, the log; with --submission also what a benchmark's server takes. SIGTERM and Ctrl-C stop it at
once with exit code 75; finished sequences are kept for --resume.
"""

import argparse
from collections.abc import Sequence

from .arguments import config_from, runner_parser
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
    """The arguments of this command."""
    parser = runner_parser('test', __doc__, EXAMPLES)
    parser.add_argument('checkpoint', nargs='?',
                        help="file (of tempseg-train, or a generator alone as tempseg-export writes it), "
                             "folder to take the newest one of, or 'none' for a network that was not trained; "
                             "default: the config's `checkpoint`, which is the newest one in the work dir")
    parser.add_argument('--out', metavar='DIR', help='where everything is written; default: <work dir>/test')
    parser.add_argument('--show-dir', metavar='DIR', help='where overlays are written; default: <out>/overlays')
    parser.add_argument('--sequences', nargs='+', metavar='NAME', help='only these sequences of the split')
    parser.add_argument('--baselines', action='store_true',
                        help='compare with copying the mask, moving it along the flow, and the untrained generator')
    parser.add_argument('--tta', action='store_true',
                        help='test-time augmentation: of the frames fine-tuned on, and of predictions, by mirroring')
    parser.add_argument('--crf', action='store_true',
                        help='refine the masks with the dense CRF; its settings are `crf` of the config, if it has any')
    parser.add_argument('--submission', nargs='+', choices=('zip', 'coco'), metavar='zip|coco',
                        help="pack the masks: 'zip', the archive that the benchmark's server takes, and 'coco', COCO "
                             'JSON of all sequences; beside --resume: of a finished test')
    parser.add_argument('--resume', action='store_true',
                        help='go on after a stop: skip the sequences that are finished; the scores are those of a run '
                             'without a stop')
    return parser


def run(args: argparse.Namespace) -> None:
    """Tests."""
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
    """``tempseg-test``."""
    run_command(make_parser, run, argv, kept='finished sequences are kept; go on with --resume')


if __name__ == '__main__':
    main()
