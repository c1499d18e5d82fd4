"""Look at every file of a data set and report all that is missing, broken or odd; nothing is changed.

Names a config, whose training and test data are checked, or a type and a folder. Exits with status 1 if there is an
error; warnings are about data that can be read but may not be what was meant.
"""

import argparse
import sys

from tempseg_mm.apis import load_config
from tempseg_mm.datasets.check import check_sequences, find_sequences, summary, unloaded
from tempseg_mm.runtime.progress import Progress
from tempseg_mm.settings.overrides import ConfigOverrides, SettingError

EXAMPLES = """\
  python tools/check_dataset.py configs/tempseg_davis.py --workers 4
  python tools/check_dataset.py configs/tempseg_youtube_objects.py --part test
  python tools/check_dataset.py --type SegTrackV2Dataset --root data/SegTrackv2
  python tools/check_dataset.py --type DAVISDataset --root data/DAVIS --split train val
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=f'examples:\n{EXAMPLES}', formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', nargs='?', help='config file, e.g. configs/tempseg_davis.py')
    parser.add_argument('--part', choices=['train', 'test'], nargs='+', default=['train', 'test'],
                        help='which data of the config; default: both')
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOverrides, metavar='KEY=VALUE',
                        help='override settings of the config')
    parser.add_argument('--type', help='instead of a config: a data set class, e.g. DAVISDataset')
    parser.add_argument('--root', metavar='DIR', help='its folder')
    parser.add_argument('--split', nargs='+', metavar='NAME', help='its splits; default: all that there are')
    parser.add_argument('--resolution', help='its middle folder, e.g. 480p; only for the layout of DAVIS')
    parser.add_argument('--workers', type=int, default=1, help='threads that decode; default: 1')
    args = parser.parse_args()
    if (args.config is None) == (args.type is None) or (args.type is None) != (args.root is None):
        parser.error('name a config, or both --type and --root')
    return args


def main() -> None:
    args = parse_args()
    if args.config:
        try:
            cfg = load_config(args.config, options=args.cfg_options)
        except SettingError as error:
            sys.exit(f'check_dataset: {error}')
        parts = [(cfg[f'{part}_dataloader'].dataset, ()) for part in args.part if cfg.get(f'{part}_dataloader')]
    else:
        resolution = dict(resolution=args.resolution) if args.resolution else {}
        parts = [(dict(type=args.type, data_root=args.root, split='', test_mode=True, **resolution),
                  args.split or ['*'])]
    errors = sum([report(dataset, splits, args.workers) for dataset, splits in parts])
    sys.exit(1 if errors else 0)


def report(cfg: dict, splits: list, workers: int) -> int:
    """Checks one data set and prints what is found; the number of errors."""
    dataset = unloaded(cfg)
    names, findings = find_sequences(dataset, splits)
    print(f'\n{cfg["type"]} in {dataset.data_root}: {len(names)} sequences to check')
    print(*findings, sep='\n', end='\n' if findings else '')
    reports, progress = [], Progress(len(names), print, unit='sequences', interval=5)
    for found in check_sequences(dataset, names, workers=workers):
        print(*found.findings, sep='\n', end='\n' if found.findings else '')
        progress.step(f'{len(reports) + 1} of {len(names)} sequences')
        reports.append(found)
        findings += found.findings
    errors = sum(finding.level == 'error' for finding in findings)
    print(f'\n{summary(reports)}\n\n{errors} error(s), {len(findings) - errors} warning(s)')
    return errors


if __name__ == '__main__':
    main()
