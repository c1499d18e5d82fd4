"""What is there, what is missing, and the line that installs it: packages, machine, the weights that come with the
project, and a config with its data.

Exits with status 1 if anything that is needed is missing or wrong. States in brackets are of what the project does
without. Nothing is changed or downloaded.
"""

import argparse
from collections.abc import Sequence

from .entry import command_parser, run_command

EXAMPLES = """\
  %(prog)s
  %(prog)s configs/tempseg_davis.py
  TEMPSEG_DAVIS_ROOT=path/to/DAVIS %(prog)s configs/tempseg_davis.py --data all
"""


def make_parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    parser = command_parser('doctor', __doc__, EXAMPLES)
    parser.add_argument('config', nargs='?', help='config file to look at too, e.g. configs/tempseg_davis.py')
    parser.add_argument('--data', choices=['quick', 'all', 'none'], default='quick',
                        help="how much of the config's data: the lists and three sequences, every file, or nothing; "
                             'default: quick')
    return parser


def run(args: argparse.Namespace) -> int:
    """Prints what is found; 1 if something is missing or wrong."""
    from tempseg_mm.doctor import check_config, check_machine, check_packages, check_weights, lines

    checks = [*check_packages(), *check_machine(), *check_weights()]
    print(*lines(checks), sep='\n')
    if args.config:
        found = check_config(args.config, data=args.data)
        print('', *lines(found), sep='\n')
        checks += found
    faults = [check.name for check in checks if check.is_fault]
    print(f'\n{len(faults)} fault(s): {", ".join(faults)}' if faults else '\nAll is well.')
    return 1 if faults else 0


def main(argv: Sequence[str] | None = None) -> None:
    """``tempseg-doctor``."""
    run_command(make_parser, run, argv, logs=False)


if __name__ == '__main__':
    main()
