"""Compare flow providers on the data of a config: one row per provider, with means over the pairs of neighbouring
frames.

With exact flow (the synthetic set), the columns are: EPE in pixels of the working size, over the frame and on the
object; and the IoU of ITSDL's two warped targets, by this flow and by the exact flow. Without exact flow: the share of
pixels that return to their place when they are moved to the next frame and back. --out writes one picture per sequence.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from .arguments import config_parser
from .entry import run_command

EXAMPLES = """\
  %(prog)s configs/tempseg_synthetic.py
  %(prog)s configs/tempseg_synthetic.py --flow configs/_base_/flow/dis.py configs/_base_/flow/zero.py
  %(prog)s configs/tempseg_davis.py --every 10 --out work_dirs/flow
"""


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of this command."""
    parser = config_parser('eval_flow', __doc__, EXAMPLES)
    parser.add_argument('--flow', nargs='+', metavar='CONFIG', default=[],
                        help="files with `flow = dict(type=...)`, as in configs/_base_/flow; default: the config's")
    parser.add_argument('--part', choices=['train', 'test'], default='test',
                        help='data of the config to use; default: test')
    parser.add_argument('--every', type=int, default=1, metavar='N', help='use only every N-th pair; default: 1')
    parser.add_argument('--out', metavar='DIR', help='write one picture per sequence to this folder')
    parser.add_argument('--device', default='cpu', help="device of networks, such as 'cuda'; default: cpu")
    return parser


def run(args: argparse.Namespace) -> None:
    """Print the table."""
    from mmengine.config import Config

    from tempseg_mm.apis.config import load_config
    from tempseg_mm.apis.flow_evaluation import configured_provider, evaluate_flow, score_rows
    from tempseg_mm.runtime.project_files import find_file

    cfg = load_config(args.config, options=args.cfg_options)
    providers = {Path(path).stem: Config.fromfile(find_file(path)).flow.to_dict() for path in args.flow}
    if not providers:
        flow = configured_provider(cfg)
        providers = {flow['type']: flow}
    scores = evaluate_flow(cfg, providers, part=args.part, every=args.every, device=args.device, pictures=args.out,
                           log=print)
    print(f'{len(next(iter(scores.values())))} pairs of the {args.part} data\n\n{score_rows(scores)}')


def main(argv: Sequence[str] | None = None) -> None:
    """Run ``tempseg-eval-flow``."""
    run_command(make_parser, run, argv)


if __name__ == '__main__':
    main()
