"""Compare flow providers on the data of a config: a row each, means over the pairs of neighbouring frames.

Where the data bring exact flow (the synthetic set): EPE in pixels of the working size, over the frame and on the
object, and the IoU of ITSDL's warped target by this flow and by the exact one. Elsewhere: the share of pixels that come
back to where they were when carried to the next frame and back. --out writes a picture of each sequence.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')  # before torch: spinning threads stall each other

from mmengine.config import Config  # noqa: E402

from tempseg_mm.apis.config import load_config  # noqa: E402
from tempseg_mm.apis.flow_evaluation import (  # noqa: E402
    configured_provider,  # noqa: E402
    evaluate_flow,
    score_rows,
)
from tempseg_mm.runtime.folder_lock import InUseError  # noqa: E402
from tempseg_mm.settings.overrides import ConfigOverrides, SettingError  # noqa: E402

EXAMPLES = """\
  python tools/eval_flow.py configs/tempseg_synthetic.py
  python tools/eval_flow.py configs/tempseg_synthetic.py --flow configs/_base_/flow/dis.py configs/_base_/flow/zero.py
  python tools/eval_flow.py configs/tempseg_davis.py --every 10 --out work_dirs/flow
"""


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=f'examples:\n{EXAMPLES}', formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file, e.g. configs/tempseg_synthetic.py')
    parser.add_argument('--flow', nargs='+', metavar='CONFIG', default=[],
                        help="files with `flow = dict(type=...)`, as in configs/_base_/flow; default: the config's")
    parser.add_argument('--part', choices=['train', 'test'], default='test', help='which data; default: test')
    parser.add_argument('--every', type=int, default=1, metavar='N', help='only every N-th pair; default: 1')
    parser.add_argument('--out', metavar='DIR', help='write a picture of each sequence there')
    parser.add_argument('--device', default='cpu', help="where networks run, e.g. 'cuda'; default: cpu")
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOverrides, metavar='KEY=VALUE',
                        help='override settings of the config')
    return parser


def main() -> None:
    parser = make_parser()
    args = parser.parse_args()
    try:
        compare(args)
    except (InUseError, SettingError) as error:
        parser.error(str(error))


def compare(args: argparse.Namespace) -> None:
    """Prints the table."""
    cfg = load_config(args.config, options=args.cfg_options)
    providers = {Path(path).stem: Config.fromfile(path).flow.to_dict() for path in args.flow}
    if not providers:
        flow = configured_provider(cfg)
        providers = {flow['type']: flow}
    scores = evaluate_flow(cfg, providers, part=args.part, every=args.every, device=args.device, pictures=args.out,
                           log=print)
    print(f'{len(next(iter(scores.values())))} pairs of the {args.part} data\n\n{score_rows(scores)}')


if __name__ == '__main__':
    main()
