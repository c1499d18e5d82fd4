"""Rerun a table of the paper: train and test its rows one after the other, and write them beside the paper's values.

Table 1 are the ablations, 2 the data sets. `losses` takes the loss terms further apart, `readings` are the choices that
the paper leaves open, `finetuning` those of a test, all with the weights of one training. The synthetic preset needs no
data; a row that needs data or weights which are not there says so in the table.
"""

import argparse
import logging
import os
import sys
from pathlib import Path

os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')  # before torch: spinning threads stall each other

from mmengine.logging import MMLogger  # noqa: E402

from tempseg_mm.paper_tables import PRESETS, TABLES, TableRun, rows_of, write_report  # noqa: E402
from tempseg_mm.runtime.folder_lock import InUseError  # noqa: E402
from tempseg_mm.runtime.stop_signals import (
    STOPPED_BY_SIGNAL,  # noqa: E402
    stopped_by_signals,  # noqa: E402
)
from tempseg_mm.settings.overrides import SettingError  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = """\
examples:
  python tools/run_table.py 1 --preset synthetic --jobs 2
  python tools/run_table.py 1 --preset synthetic --seeds 0 1 2 --rows full l1_only --resume
  python tools/run_table.py 1 --preset davis --base my_config --cfg-options test_dataloader.dataset.split=dev
  python tools/run_table.py losses --preset davis_small --jobs 2 --seeds 0 1
  python tools/run_table.py finetuning --preset davis_small --jobs 2 --reuse work_dirs/table_losses_davis_small
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('table', choices=list(TABLES), help='which table')
    parser.add_argument('--preset', choices=list(PRESETS), default='synthetic', help='data and size of the runs')
    parser.add_argument('--base', metavar='CONFIG',
                        help="another base than the preset's: its path below configs, without .py")
    parser.add_argument('--rows', nargs='+', metavar='ROW', help='run only these; the table keeps what the others have')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0], metavar='N',
                        help='each row once a seed; default: 0')
    parser.add_argument('--jobs', type=int, default=1, metavar='N',
                        help='rows at a time, sharing the cores; default: 1')
    parser.add_argument('--out', metavar='DIR', help='default: work_dirs/table_<table>_<preset>')
    parser.add_argument('--resume', action='store_true', help='go on: skip what is done, finish what was begun')
    parser.add_argument('--reuse', nargs='+', default=[], metavar='DIR',
                        help='folders of other tables: what they have with the same settings is not made again')
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE',
                        help='override settings of every row')
    args = parser.parse_args()
    known = [row.key for row in rows_of(args.table, args.preset)]
    if unknown := set(args.rows or known) - set(known):
        parser.error(f'table {args.table} of preset {args.preset} has no row {", ".join(sorted(unknown))}; '
                     f'it has: {", ".join(known)}')
    return args


def main() -> None:
    args = parse_args()
    MMLogger.get_current_instance().setLevel('WARNING')  # it names every environment variable a config reads
    logging.basicConfig(level=logging.INFO, format='%(asctime)s %(message)s', datefmt='%H:%M:%S')
    log = logging.getLogger('run_table').info
    preset = PRESETS[args.preset]
    if args.base:
        preset = type(preset)(**{**vars(preset), 'base': args.base})
    out_dir = Path(args.out or f'work_dirs/table_{args.table}_{args.preset}')
    table = TableRun(rows_of(args.table, args.preset), preset, out_dir, seeds=args.seeds, root=ROOT,
                     options=args.cfg_options, jobs=args.jobs, reuse=args.reuse, log=log)

    def report() -> str:
        return write_report(table, out_dir / 'table.md', title=f'Table {args.table}, {args.preset} preset')

    try:
        with stopped_by_signals():
            faults = table.run(only=args.rows, resume=args.resume, on_row=report)
    except (InUseError, SettingError) as error:
        sys.exit(f'error: {error}')
    except KeyboardInterrupt as stop:
        log(f'{stop or "stopped by Ctrl-C"}: what is finished is kept in {out_dir}; --resume goes on')
        sys.exit(STOPPED_BY_SIGNAL)
    print(f'\n{report()}\n{out_dir / "table.md"} and table.csv')
    if faults:
        sys.exit('\n'.join(['', *faults]))


if __name__ == '__main__':
    main()
