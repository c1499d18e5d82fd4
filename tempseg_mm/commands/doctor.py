"""Check the packages, the machine, the project's weights, and a config with its data; say how to fix each fault.

The exit status is 1 if anything that the project needs is missing or wrong. A state in brackets belongs to something
optional. Nothing is changed or downloaded.
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
    """Build the parser of this command."""
    parser = command_parser('doctor', __doc__, EXAMPLES)
    parser.add_argument('config', nargs='?', help='config file to check too, such as configs/tempseg_davis.py')
    parser.add_argument('--data', choices=['quick', 'all', 'none'], default='quick',
                        help='data of the config to check: quick checks the lists and three sequences, all checks '
                             'every file; default: quick')
    return parser


def run(args: argparse.Namespace) -> int:
    """Print the checks; return 1 if something is missing or wrong, else 0."""
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
    """Run ``tempseg-doctor``."""
    run_command(make_parser, run, argv, logs=False)


if __name__ == '__main__':
    main()
