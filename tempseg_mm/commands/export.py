"""Write the generator to a file, to use it without this project or to store its weights in half the size.

torchscript, onnx: the file maps frames (B, 3, H, W) float RGB 0..255 and, if the network reads them, reference masks
(B, 1, H, W) in [0, 1], to probabilities (B, 1, H, W), for any B, H and W. It is compared with the model before it
appears. safetensors: the weights as float16, for tempseg-segment and this command. docs/export.md has the details.
"""

import argparse
from collections.abc import Sequence

from .arguments import config_parser
from .entry import run_command

EXAMPLES = """\
  %(prog)s configs/tempseg_synthetic.py --format torchscript
  %(prog)s configs/tempseg_davis.py work_dirs/tempseg_davis/iter_10000.pth --format onnx
  %(prog)s configs/tempseg_davis_mobilenet.py --format safetensors --out mine.safetensors
"""


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of this command."""
    parser = config_parser('export', __doc__, EXAMPLES)
    parser.add_argument('checkpoint', nargs='?',
                        help="file written by tempseg-train or tempseg-export; a folder, for the newest one in it; "
                             "or 'none', for an untrained network; default: the config's `checkpoint`, which is the "
                             'newest one in the work dir unless the config changes it')
    parser.add_argument('--format', choices=['torchscript', 'onnx', 'safetensors'], required=True,
                        help='onnx needs: pip install onnx onnxruntime')
    parser.add_argument('--out', metavar='FILE',
                        help='output file; default: <work dir>/export/generator, with the suffix of the format')
    parser.add_argument('--full-precision', action='store_true',
                        help='store safetensors in full precision; TorchScript and ONNX always are')
    parser.add_argument('--work-dir', metavar='DIR', help='work dir of the training; default: work_dirs/<config name>')
    return parser


def run(args: argparse.Namespace) -> None:
    """Write the file, and print its size, its difference from the model, and notices about the weights."""
    from tempseg_mm.apis.config import load_config
    from tempseg_mm.apis.export import export_generator
    from tempseg_mm.apis.testing import choose_checkpoint

    cfg = load_config(args.config, work_dir=args.work_dir, options=args.cfg_options)
    written = export_generator(cfg, args.format, checkpoint=choose_checkpoint(cfg, args.checkpoint), out=args.out,
                               half=not args.full_precision)
    print(written, *(f'note: {notice}' for notice in written.notices), sep='\n')


def main(argv: Sequence[str] | None = None) -> None:
    """Run ``tempseg-export``."""
    run_command(make_parser, run, argv)


if __name__ == '__main__':
    main()
