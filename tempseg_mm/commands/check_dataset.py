"""Check every file of a data set and report all that is missing, broken or unusual; nothing is changed.

Give a config, whose training and test data are checked, or --type and --root. The exit status is 1 if there is an
error. A warning is about data that can be read but may not be what you meant.
"""

import argparse
from collections.abc import Sequence

from tempseg_mm.runtime.progress import Progress

from .arguments import add_overrides
from .entry import command_parser, run_command

EXAMPLES = """\
  %(prog)s configs/tempseg_davis.py --workers 4
  %(prog)s configs/tempseg_youtube_objects.py --part test
  %(prog)s --type SegTrackV2Dataset --root data/SegTrackv2
  %(prog)s --type DAVISDataset --root data/DAVIS --split train val
  %(prog)s --type YouTubeVOSDataset --root data/YouTubeVOS --split valid --workers 4
"""


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of this command."""
    parser = command_parser('check_dataset', __doc__, EXAMPLES)
    parser.add_argument('config', nargs='?', help='config file, such as configs/tempseg_davis.py')
    parser.add_argument('--part', choices=['train', 'test'], nargs='+', default=['train', 'test'],
                        help='data of the config to check; default: both')
    add_overrides(parser)
    parser.add_argument('--type', help='instead of a config: a data set class, such as DAVISDataset')
    parser.add_argument('--root', metavar='DIR', help='folder of the data set')
    parser.add_argument('--split', nargs='+', metavar='NAME', help='splits of the data set; default: all')
    parser.add_argument('--resolution', help='middle folder, such as 480p; only for the layout of DAVIS')
    parser.add_argument('--year', type=int,
                        help='year of the lists and annotations, such as 2016; only for DAVIS2017Dataset')
    parser.add_argument('--workers', type=int, default=1, help='number of decoding threads; default: 1')
    return parser


def run(args: argparse.Namespace) -> int:
    """Check the data; return 1 if there is an error, else 0."""
    from tempseg_mm.apis.config import load_config

    if (args.config is None) == (args.type is None) or (args.type is None) != (args.root is None):
        raise ValueError('expected a config, or both --type and --root')
    if args.config:
        cfg = load_config(args.config, options=args.cfg_options)
        parts = [(cfg[f'{part}_dataloader'].dataset, ()) for part in args.part if cfg.get(f'{part}_dataloader')]
    else:
        given = {name: value for name in ('resolution', 'year') if (value := getattr(args, name)) is not None}
        parts = [(dict(type=args.type, data_root=args.root, split='', test_mode=True, **given), args.split or ['*'])]
    errors = sum([report(dataset, splits, args.workers) for dataset, splits in parts])
    return 1 if errors else 0


def report(cfg: dict, splits: list, workers: int) -> int:
    """Check one data set, print the findings, and return the number of errors."""
    from tempseg_mm.datasets.check import check_sequences, find_sequences, summary, unloaded

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


def main(argv: Sequence[str] | None = None) -> None:
    """Run ``tempseg-check-dataset``."""
    run_command(make_parser, run, argv)


if __name__ == '__main__':
    main()
