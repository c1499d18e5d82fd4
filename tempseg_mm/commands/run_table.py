"""Rerun a table of the paper: train and test its rows one after the other, and write them beside the paper's values.

Table 1 are the ablations, 2 the data sets. `losses` takes the loss terms further apart, `readings` are the choices that
the paper leaves open, `finetuning` those of a test, all with the weights of one training. The synthetic preset needs no
data; a row that needs data or weights which are not there says so in the table.
"""

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from .entry import command_parser, run_command

EXAMPLES = """\
  %(prog)s 1 --preset synthetic --jobs 2
  %(prog)s 1 --preset synthetic --seeds 0 1 2 --rows full l1_only --resume
  %(prog)s 1 --preset davis --base my_config --cfg-options test_dataloader.dataset.split=dev
  %(prog)s losses --preset davis_small --jobs 2 --seeds 0 1
  %(prog)s finetuning --preset davis_small --jobs 2 --reuse work_dirs/table_losses_davis_small
"""


def make_parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    from tempseg_mm.paper_tables import PRESETS, TABLES

    parser = command_parser('run_table', __doc__, EXAMPLES)
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
    return parser


def run(args: argparse.Namespace) -> int:
    """Runs the rows; 1 if one has failed."""
    from mmengine.logging import MMLogger

    from tempseg_mm.paper_tables import PRESETS, TableRun, rows_of, write_report
    from tempseg_mm.runtime.project_files import ROOT
    from tempseg_mm.runtime.stop_signals import stopped_by_signals

    known = [row.key for row in rows_of(args.table, args.preset)]
    if unknown := set(args.rows or known) - set(known):
        raise ValueError(f'table {args.table} of preset {args.preset} has no row {", ".join(sorted(unknown))}; '
                         f'it has: {", ".join(known)}')
    log = MMLogger.get_current_instance().info
    preset = PRESETS[args.preset]
    if args.base:
        preset = dataclasses.replace(preset, base=args.base)
    out_dir = Path(args.out or f'work_dirs/table_{args.table}_{args.preset}')
    table = TableRun(rows_of(args.table, args.preset), preset, out_dir, seeds=args.seeds, root=ROOT,
                     options=args.cfg_options, jobs=args.jobs, reuse=args.reuse, log=log)

    def report() -> str:
        return write_report(table, out_dir / 'table.md', title=f'Table {args.table}, {args.preset} preset')

    log(f'table {args.table} of preset {args.preset}, to {out_dir}; the data of every row are looked for first')
    with stopped_by_signals():
        faults = table.run(only=args.rows, resume=args.resume, on_row=report)
    text = report()
    print(f'\n{text}\n{out_dir / "table.md"} and table.csv')
    if faults:
        more = [fault for fault in faults if (fault.partition(': ')[2] or fault) not in text]
        print(*more, f'{len(table.reasons)} of {len(table.rows)} rows did not run to the end; why stands below '
              'the table',
              sep='\n', file=sys.stderr)
    return 1 if faults else 0


def main(argv: Sequence[str] | None = None) -> None:
    """``tempseg-run-table``."""
    run_command(make_parser, run, argv, kept='finished rows are kept; --resume goes on')


if __name__ == '__main__':
    main()
