"""Segment the sequences of a test split, fine-tuning on the first frames of each, and score them.

Writes below the work dir's `test` folder: indexed masks, scores.json and scores.csv, overlays.
"""

import argparse

from mmengine.config import DictAction
from mmengine.runner import Runner

from tempseg_mm.apis import join_processes, load_config, newest_checkpoint, use_device

EXAMPLES = """examples:
  python tools/test.py configs/tempseg_synthetic.py --baselines
  python tools/test.py configs/tempseg_davis.py work_dirs/tempseg_davis/iter_10000.pth --sequences blackswan camel
  python tools/test.py configs/tempseg_davis.py --cfg-options test_dataloader.dataset.split=dev
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file that the model was trained with')
    parser.add_argument('checkpoint', nargs='?', help='default: the newest one in the work dir')
    parser.add_argument('--work-dir', help='default: work_dirs/<config name>')
    parser.add_argument('--out', metavar='DIR', help='masks and scores; default: <work dir>/test')
    parser.add_argument('--show-dir', metavar='DIR', help='overlays; default: <work dir>/test/overlays')
    parser.add_argument('--sequences', nargs='+', metavar='NAME', help='only these sequences of the split')
    parser.add_argument('--baselines', action='store_true',
                        help='compare with copying the mask, moving it along the flow, and the untrained generator')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE',
                        help='override settings of the config, e.g. custom_hooks.0.finetuner.steps=200')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none',
                        help='how the processes of a distributed run are started')
    parser.add_argument('--local-rank', '--local_rank', type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument('--device', help="e.g. 'cpu' to leave a GPU alone; default: the GPU if there is one")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, work_dir=args.work_dir, options=args.cfg_options)
    use_device(args.device)
    join_processes(args.launcher)
    cfg.launcher = args.launcher
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
