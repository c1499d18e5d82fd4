"""Train a model from a config: checkpoints, logs and TensorBoard pictures go to its work dir."""

import argparse

from mmengine.config import DictAction
from mmengine.runner import Runner

from tempseg_mm.apis import join_processes, load_config, use_device

EXAMPLES = """examples:
  python tools/train.py configs/tempseg_synthetic.py
  python tools/train.py configs/tempseg_davis.py --amp --work-dir runs/davis
  python tools/train.py configs/tempseg_davis.py --resume
  python tools/train.py configs/tempseg_davis.py --cfg-options model.width=0.25 train_dataloader.dataset.size=128,224
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file, e.g. configs/tempseg_davis.py')
    parser.add_argument('--work-dir', help='where everything is written; default: work_dirs/<config name>')
    parser.add_argument('--resume', nargs='?', const='auto', metavar='auto|PATH',
                        help='go on from the newest checkpoint of the work dir, or from the one at PATH')
    parser.add_argument('--amp', action='store_true', help='bfloat16 mixed precision')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE',
                        help='override settings of the config, e.g. train_cfg.max_iters=500')
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
    cfg.resume = args.resume is not None
    if args.resume not in (None, 'auto'):
        cfg.load_from = args.resume
    if args.amp:
        for name in cfg.optim_wrapper.keys() - {'constructor'}:
            cfg.optim_wrapper[name].type = 'BF16OptimWrapper'
    Runner.from_cfg(cfg).train()


if __name__ == '__main__':
    main()
