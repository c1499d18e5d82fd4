"""Rerun a table of the paper: train and test its rows, and write the results beside the paper's values.

Table 1 has the ablations, table 2 the data sets. `losses` adds the loss terms one by one, `readings` compares choices
that the paper leaves open, and `finetuning` compares settings of the test with the weights of one training. `parts`
shows where the points of the recipe for DAVIS come from, part by part. The synthetic preset needs no data. If data or
weights of a row are missing, the table says so, and the other rows run.
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
  %(prog)s parts --preset davis --jobs 2 --cfg-options train_dataloader.dataset.split=fit20 \\
      test_dataloader.dataset.split=dev10
"""


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of this command."""
    from tempseg_mm.paper_tables import PRESETS, TABLES

    parser = command_parser('run_table', __doc__, EXAMPLES)
    parser.add_argument('table', choices=list(TABLES), help='table to run')
    parser.add_argument('--preset', choices=list(PRESETS), default='synthetic', help='data and size of the runs')
    parser.add_argument('--base', metavar='CONFIG',
                        help="base config to use instead of the preset's: its path below configs, without .py")
    parser.add_argument('--rows', nargs='+', metavar='ROW',
                        help='run only these rows; the table keeps the results of the others')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0], metavar='N',
                        help='run each row once per seed; default: 0')
    parser.add_argument('--jobs', type=int, default=1, metavar='N',
                        help='number of rows to run at a time; they share the cores; default: 1')
    parser.add_argument('--out', metavar='DIR', help='output folder; default: work_dirs/table_<table>_<preset>')
    parser.add_argument('--resume', action='store_true',
                        help='continue an earlier run: skip finished rows, finish the others')
    parser.add_argument('--reuse', nargs='+', default=[], metavar='DIR',
                        help='output folders of other tables, whose results with the same settings are used')
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE',
                        help='override settings of every row')
    return parser


def run(args: argparse.Namespace) -> int:
    """Run the rows; return 1 if one failed, else 0."""
    from mmengine.logging import MMLogger

    from tempseg_mm.paper_tables import PRESETS, TableRun, rows_of, write_report
    from tempseg_mm.runtime.project_files import ROOT
    from tempseg_mm.runtime.stop_signals import stopped_by_signals

    known = [row.key for row in rows_of(args.table, args.preset)]
    if not known:
        having = ' or '.join(preset for preset in PRESETS if rows_of(args.table, preset))
        raise ValueError(f'table {args.table} has no rows for the preset {args.preset}: use --preset {having}')
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

    log(f'table {args.table} of preset {args.preset}, to {out_dir}; first checking the data of every row')
    with stopped_by_signals():
        faults = table.run(only=args.rows, resume=args.resume, on_row=report)
    text = report()
    picture = ', with a picture in rows.png' if (out_dir / 'rows.png').exists() else ''
    print(f'\n{text}\n{out_dir / "table.md"} and table.csv{picture}')
    if faults:
        more = [fault for fault in faults if (fault.partition(': ')[2] or fault) not in text]
        print(*more, f'{len(table.reasons)} of {len(table.rows)} rows are not finished; the reasons are below the '
              'table',
              sep='\n', file=sys.stderr)
    return 1 if faults else 0


def main(argv: Sequence[str] | None = None) -> None:
    """Run ``tempseg-run-table``."""
    run_command(make_parser, run, argv, kept='finished rows are kept; continue with --resume')


if __name__ == '__main__':
    main()
