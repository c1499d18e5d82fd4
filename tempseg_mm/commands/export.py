"""Write the generator alone to a file: for programs that run without this project, or as weights of half the size.

torchscript, onnx: frames (B, 3, H, W) float RGB 0..255, and reference masks (B, 1, H, W) in [0, 1] where the network
reads them, to probabilities (B, 1, H, W), for any B, H and W. The file is compared with the model before it appears.
safetensors: the weights as float16, as tempseg-segment and this command read them. docs/export.md has the rest.
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
    """The arguments of this command."""
    parser = config_parser('export', __doc__, EXAMPLES)
    parser.add_argument('checkpoint', nargs='?',
                        help="file, folder to take the newest one of, or 'none' for a network that was not trained; "
                             "default: the config's `checkpoint`, which is the newest one in the work dir")
    parser.add_argument('--format', choices=['torchscript', 'onnx', 'safetensors'], required=True,
                        help='onnx needs: pip install onnx onnxruntime')
    parser.add_argument('--out', metavar='FILE', help='default: <work dir>/export/generator with a suffix')
    parser.add_argument('--full-precision', action='store_true',
                        help='keep safetensors as they are; TorchScript and ONNX are always so')
    parser.add_argument('--work-dir', metavar='DIR', help='default: work_dirs/<config name>')
    return parser


def run(args: argparse.Namespace) -> None:
    """Writes the file, and prints its size, how close it is, and what to know of the weights."""
    from tempseg_mm.apis.config import load_config
    from tempseg_mm.apis.export import export_generator
    from tempseg_mm.apis.testing import choose_checkpoint

    cfg = load_config(args.config, work_dir=args.work_dir, options=args.cfg_options)
    written = export_generator(cfg, args.format, checkpoint=choose_checkpoint(cfg, args.checkpoint), out=args.out,
                               half=not args.full_precision)
    print(written, *(f'note: {notice}' for notice in written.notices), sep='\n')


def main(argv: Sequence[str] | None = None) -> None:
    """``tempseg-export``."""
    run_command(make_parser, run, argv)


if __name__ == '__main__':
    main()
