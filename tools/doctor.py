"""What is there, what is missing, and the line that installs it: packages, machine, the weights that come with the
project, and a config with its data.

Exits with status 1 if anything that is needed is missing or wrong. States in brackets are of what the project does
without. Nothing is changed or downloaded.
"""

import argparse
import os
import sys

os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')  # before torch: spinning threads stall each other

EXAMPLES = """\
  python tools/doctor.py
  python tools/doctor.py configs/tempseg_davis.py
  TEMPSEG_DAVIS_ROOT=path/to/DAVIS python tools/doctor.py configs/tempseg_davis.py --data all
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=f'examples:\n{EXAMPLES}', formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', nargs='?', help='config file to look at too, e.g. configs/tempseg_davis.py')
    parser.add_argument('--data', choices=['quick', 'all', 'none'], default='quick',
                        help="how much of the config's data: the lists and three sequences, every file, or nothing; "
                             'default: quick')
    args = parser.parse_args()
    try:
        from tempseg_mm.doctor import check_config, check_machine, check_packages, check_weights, lines
    except ModuleNotFoundError as error:
        sys.exit(f'{error}: from the folder of the project, {sys.executable} -m pip install -e .')
    checks = [*check_packages(), *check_machine(), *check_weights()]
    print(*lines(checks), sep='\n')
    if args.config:
        found = check_config(args.config, data=args.data)
        print('', *lines(found), sep='\n')
        checks += found
    faults = [check.name for check in checks if check.is_fault]
    print(f'\n{len(faults)} fault(s): {", ".join(faults)}' if faults else '\nAll is well.')
    sys.exit(1 if faults else 0)


if __name__ == '__main__':
    main()
