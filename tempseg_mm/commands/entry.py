"""Start and end of every command: its parser, and one sentence for an error instead of a traceback."""

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from tempseg_mm.doctor.packages import PACKAGES, install_line
from tempseg_mm.runtime.command_names import runnable
from tempseg_mm.runtime.memory import importing
from tempseg_mm.runtime.stop_signals import STOPPED_BY_SIGNAL, Stopped

os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')  # before torch: spinning threads stall each other

# Errors that the user can fix: a file, a value, a package. Any other error is a fault of the program; its report needs
# the traceback.
FORESEEN = (OSError, ValueError, ImportError, SyntaxError, FloatingPointError)
ERROR, INTERRUPTED = 2, 130  # exit status of argparse for wrong arguments; 128 + SIGINT
PACKAGE = Path(__file__).resolve().parents[1]
INSTALL = 'python3 -m venv .venv && .venv/bin/pip install -r requirements.txt'


def command_parser(command: str, description: str, examples: str) -> argparse.ArgumentParser:
    """Build a parser with ``--debug``.

    Args:
        command: name of the module, such as ``'check_dataset'``.
        description: what the command does.
        examples: indented command lines, with ``%(prog)s`` for the command; ``''`` for none.
    """
    parser = argparse.ArgumentParser(
        runnable(command), description=description, epilog=f'examples:\n{examples}' if examples else None,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--debug', action='store_true', help='show the traceback of an error')
    return parser


def run_command(make_parser: Callable[[], argparse.ArgumentParser], run: Callable[[argparse.Namespace], int | None],
                argv: Sequence[str] | None = None, *, logs: bool = True, kept: str = '') -> None:
    """Parse the arguments, run the command, and exit with its status.

    An error that the user can fix prints one sentence to standard error and exits with status 2; ``--debug`` shows the
    traceback. A stop signal exits with status 75. Ctrl-C exits with 75 if the work can be resumed, else with 130.

    Args:
        make_parser: builds the parser, see :func:`command_parser`.
        run: takes the parsed arguments and returns the exit status; ``None`` means 0.
        argv: the arguments; ``None`` for those of the process.
        logs: True if the command logs, so that its terminal must be set up, which needs mmengine.
        kept: sentence that says what a stop keeps and how to resume; empty if nothing is kept.
    """
    program, debug = Path(sys.argv[0]).name, False
    try:
        parser = make_parser()
        args = parser.parse_args(argv)
        program, debug = parser.prog, args.debug
        if logs:
            with importing():
                from tempseg_mm.runtime.terminal import set_up_terminal
            set_up_terminal()
        status = run(args) or 0
    except KeyboardInterrupt as stop:
        print(f'\n{str(stop) or "stopped by Ctrl-C"}{kept and ": "}{kept}', file=sys.stderr)
        status = STOPPED_BY_SIGNAL if kept or isinstance(stop, Stopped) else INTERRUPTED
    except Exception as error:
        sentence = None if debug else foreseen(error)
        if sentence is None:
            raise
        print(f'{program}: error: {sentence}', file=sys.stderr)
        status = ERROR
    if status:
        sys.exit(status)


def foreseen(error: Exception) -> str | None:
    """Return the sentence for an error that the user can fix; ``None`` for a fault of the program."""
    if isinstance(error, ModuleNotFoundError):
        return _not_installed(error)
    if type(error).__name__ == 'OutOfMemoryError':  # of torch, which need not be imported for this
        return f'{str(error).splitlines()[0]} Use smaller frames, fewer at a time, or --device cpu'
    if isinstance(error, KeyError) and ' ' in str(error):  # a sentence of a registry, not a key
        return str(error.args[0])
    if not isinstance(error, FORESEEN) and type(error).__name__ != 'ConfigParsingError':  # of mmengine
        return None
    return f'{error}{_elsewhere(error)}'


def _not_installed(error: ModuleNotFoundError) -> str:
    """Say how to install a package that the project needs. Any other missing module is one that a config names."""
    missing = (error.name or '').partition('.')[0]
    package = next((package for package in PACKAGES if package.module.partition('.')[0] == missing), None)
    if package is None:
        return f'{error}{_elsewhere(error)}'
    if package.use:
        return f'{error}, but {package.use} needs it. To install it: {install_line(package)}'
    checkout = PACKAGE.parent
    if not (checkout / 'requirements.txt').is_file():
        return f'{error}; {runnable("doctor")} says what is missing and how to install it'
    ready = checkout / '.venv/bin/python'
    if ready.is_file() and not Path(sys.executable).is_relative_to(checkout):
        return f'{error} for {sys.executable}: use {ready}, which has all packages'
    return f'{error}. To install it: cd {checkout} && {INSTALL}'


def _elsewhere(error: Exception) -> str:
    """Return a hint if a library raised the error, since its message may not be about the arguments."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames or Path(frames[-1].filename).is_relative_to(PACKAGE):
        return ''
    return f' ({type(error).__name__}; --debug shows the traceback)'
