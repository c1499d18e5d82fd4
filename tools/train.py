"""Train a model from a config: checkpoints, logs and TensorBoard pictures go to its work dir."""

import os

os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')  # before torch: spinning threads stall each other

from mmengine.runner import Runner  # noqa: E402

from tempseg_mm.apis import config_from, runner_parser  # noqa: E402

EXAMPLES = """\
  python tools/train.py configs/tempseg_synthetic.py
  python tools/train.py configs/tempseg_davis.py --amp --work-dir runs/davis
  python tools/train.py configs/tempseg_davis.py --resume
  python tools/train.py configs/tempseg_davis.py --cfg-options model.width=0.25 train_dataloader.dataset.size=128,224
"""


def main() -> None:
    parser = runner_parser(__doc__, EXAMPLES)
    parser.add_argument('--resume', nargs='?', const='auto', metavar='auto|PATH',
                        help='go on from the newest checkpoint of the work dir, or from the one at PATH')
    parser.add_argument('--amp', action='store_true', help='bfloat16 mixed precision')
    args = parser.parse_args()

    cfg = config_from(args)
    cfg.resume = args.resume is not None
    if args.resume not in (None, 'auto'):
        cfg.load_from = args.resume
    if args.amp:
        several = cfg.optim_wrapper if 'type' not in cfg.optim_wrapper else dict(only=cfg.optim_wrapper)
        for name in several.keys() - {'constructor'}:
            several[name].type = 'BF16OptimWrapper'
    Runner.from_cfg(cfg).train()


if __name__ == '__main__':
    main()
