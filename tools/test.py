"""Segment the sequences of a test split, fine-tuning on the first frames of each, and score them.

Writes below the work dir's `test` folder: indexed masks, scores.json and scores.csv, overlays.
"""

import os

os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')  # before torch: spinning threads stall each other

from mmengine.runner import Runner  # noqa: E402

from tempseg_mm.apis import config_from, newest_checkpoint, runner_parser  # noqa: E402

EXAMPLES = """\
  python tools/test.py configs/tempseg_synthetic.py --baselines
  python tools/test.py configs/tempseg_davis.py work_dirs/tempseg_davis/iter_10000.pth --sequences blackswan camel
  python tools/test.py configs/tempseg_davis.py --cfg-options test_dataloader.dataset.split=dev
"""


def main() -> None:
    parser = runner_parser(__doc__, EXAMPLES)
    parser.add_argument('checkpoint', nargs='?', help='default: the newest one in the work dir')
    parser.add_argument('--out', metavar='DIR', help='masks and scores; default: <work dir>/test')
    parser.add_argument('--show-dir', metavar='DIR', help='overlays; default: <work dir>/test/overlays')
    parser.add_argument('--sequences', nargs='+', metavar='NAME', help='only these sequences of the split')
    parser.add_argument('--baselines', action='store_true',
                        help='compare with copying the mask, moving it along the flow, and the untrained generator')
    args = parser.parse_args()

    cfg = config_from(args)
    cfg.load_from = args.checkpoint or newest_checkpoint(cfg.work_dir)
    if args.out:
        cfg.default_hooks.results.out_dir = args.out
    if args.show_dir:
        cfg.default_hooks.overlays.out_dir = args.show_dir
    if args.sequences:
        cfg.test_dataloader.dataset.sequences = args.sequences
    if args.baselines:
        cfg.custom_hooks.append(dict(type='BaselineHook'))
    Runner.from_cfg(cfg).test()


if __name__ == '__main__':
    main()
