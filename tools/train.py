"""Train a model from a config: checkpoints, logs and TensorBoard pictures go to its work dir.

SIGTERM, SIGHUP, SIGUSR1 and Ctrl-C end it after the iteration, with a checkpoint and exit code 75; --resume goes on
from there as if nothing had happened. A second Ctrl-C ends it at once.
"""

import os
import sys

os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')  # before torch: spinning threads stall each other

from tempseg_mm.apis import config_from, run_training, runner_parser  # noqa: E402
from tempseg_mm.runtime.differences import ResumeError  # noqa: E402
from tempseg_mm.runtime.folder_lock import InUseError  # noqa: E402

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
    parser.add_argument('--deterministic', action='store_true',
                        help='the same weights from the same seed: a CPU gives them without this; a GPU stops where '
                             'PyTorch has no such way, as it has none for the adversary')
    args = parser.parse_args()

    cfg = config_from(args)
    cfg.resume = args.resume is not None
    if args.resume not in (None, 'auto'):
        cfg.load_from = args.resume
    if args.amp:
        several = cfg.optim_wrapper if 'type' not in cfg.optim_wrapper else dict(only=cfg.optim_wrapper)
        for name in several.keys() - {'constructor'}:
            several[name].type = 'BF16OptimWrapper'
    if args.deterministic:
        cfg.merge_from_dict({'randomness.deterministic': True})
    try:
        code = run_training(cfg)
    except (InUseError, ResumeError) as error:
        parser.error(str(error))
    if code:
        sys.exit(code)


if __name__ == '__main__':
    main()
