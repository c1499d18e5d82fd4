"""Write the generator alone to a file: for programs that run without this project, or as weights of half the size.

torchscript, onnx: frames (B, 3, H, W) float RGB 0..255, and reference masks (B, 1, H, W) in [0, 1] where the network
reads them, to probabilities (B, 1, H, W), for any B, H and W. The file is compared with the model before it appears.
safetensors: the weights as float16, as tools/segment_video.py and this command read them. docs/export.md has the rest.
"""

import argparse

from tempseg_mm.apis.config import load_config
from tempseg_mm.apis.export import SUFFIXES, export_generator
from tempseg_mm.apis.testing import choose_checkpoint
from tempseg_mm.runtime.folder_lock import InUseError
from tempseg_mm.settings.overrides import ConfigOverrides, SettingError

EXAMPLES = """\
  python tools/export_generator.py configs/tempseg_synthetic.py --format torchscript
  python tools/export_generator.py configs/tempseg_davis.py work_dirs/tempseg_davis/iter_10000.pth --format onnx
  python tools/export_generator.py configs/tempseg_davis_mobilenet.py --format safetensors --out mine.safetensors
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=f'examples:\n{EXAMPLES}', formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file, e.g. configs/tempseg_davis.py')
    parser.add_argument('checkpoint', nargs='?',
                        help="file, folder to take the newest one of, or 'none' for a network that was not trained; "
                             "default: the config's `checkpoint`, which is the newest one in the work dir")
    parser.add_argument('--format', choices=list(SUFFIXES), required=True,
                        help='onnx needs: pip install onnx onnxruntime')
    parser.add_argument('--out', metavar='FILE', help='default: <work dir>/export/generator with a suffix')
    parser.add_argument('--full-precision', action='store_true',
                        help='keep safetensors as they are; TorchScript and ONNX are always so')
    parser.add_argument('--work-dir', metavar='DIR', help='default: work_dirs/<config name>')
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOverrides, metavar='KEY=VALUE',
                        help='override settings of the config')
    args = parser.parse_args()
    try:
        cfg = load_config(args.config, work_dir=args.work_dir, options=args.cfg_options)
        written = export_generator(cfg, args.format, checkpoint=choose_checkpoint(cfg, args.checkpoint), out=args.out,
                                   half=not args.full_precision)
    except (InUseError, SettingError) as error:
        parser.error(str(error))
    print(f'{written.path}: {written.num_bytes / 1e6:.1f} MB, within {written.difference:.0e} of the model')


if __name__ == '__main__':
    main()
