"""How every command begins and ends: its parser, and one sentence in place of a traceback."""

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from tempseg_mm.doctor.packages import PACKAGES, install_line
from tempseg_mm.runtime.command_names import runnable
from tempseg_mm.runtime.stop_signals import STOPPED_BY_SIGNAL, Stopped

os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')  # before torch: spinning threads stall each other

# Raised by our own code for what the user can mend: a file, a value, a package. Anything else is a fault of ours, and
# its traceback is what a report needs.
FORESEEN = (OSError, ValueError, ImportError, SyntaxError, FloatingPointError)
ERROR, INTERRUPTED = 2, 130  # as argparse has it for wrong arguments; 128 + SIGINT
PACKAGE = Path(__file__).resolve().parents[1]
INSTALL = 'python3 -m venv .venv && .venv/bin/pip install -r requirements.txt'


def command_parser(command: str, description: str, examples: str) -> argparse.ArgumentParser:
    """A parser with ``--debug``.

    Args:
        command: the module, e.g. ``'check_dataset'``.
        description: what it does.
        examples: indented command lines, ``%(prog)s`` in place of the command; ``''``: none.
    """
    parser = argparse.ArgumentParser(
        runnable(command), description=description, epilog=f'examples:\n{examples}' if examples else None,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--debug', action='store_true', help='show where an error comes from')
    return parser


def run_command(make_parser: Callable[[], argparse.ArgumentParser], run: Callable[[argparse.Namespace], int | None],
                argv: Sequence[str] | None = None, *, logs: bool = True, kept: str = '') -> None:
    """Parse the arguments, run the command, and exit with its status.

    What the user can mend ends with one sentence on standard error and status 2, without a traceback unless
    ``--debug`` asks for it. A signal that asks it to stop ends it with 75; Ctrl-C does, too, where there is something
    to go on with, and else with 130.

    Args:
        make_parser: makes that of :func:`command_parser`.
        run: takes the parsed arguments, returns the exit status; ``None`` is 0.
        argv: the arguments; ``None``: those of the process.
        logs: whether the command logs, so that its terminal is set up, for which mmengine must be there.
        kept: what a stop leaves and how to go on with it; empty: nothing.
    """
    program, debug = Path(sys.argv[0]).name, False
    try:
        parser = make_parser()
        args = parser.parse_args(argv)
        program, debug = parser.prog, args.debug
        if logs:
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
    """What to say of an error that the user can mend; ``None`` for a fault of the program."""
    if isinstance(error, ModuleNotFoundError):
        return _not_installed(error)
    if type(error).__name__ == 'OutOfMemoryError':  # torch's, which is not imported for it
        return f'{str(error).splitlines()[0]} Smaller frames, fewer at a time, or --device cpu need less'
    if isinstance(error, KeyError) and ' ' in str(error):  # a sentence of a registry, not a key
        return str(error.args[0])
    if not isinstance(error, FORESEEN) and type(error).__name__ != 'ConfigParsingError':  # mmengine's, likewise
        return None
    return f'{error}{_elsewhere(error)}'


def _not_installed(error: ModuleNotFoundError) -> str:
    """Where a package comes from that the project stands on; any other module is one that a config names."""
    missing = (error.name or '').partition('.')[0]
    package = next((package for package in PACKAGES if package.module.partition('.')[0] == missing), None)
    if package is None:
        return f'{error}{_elsewhere(error)}'
    if package.use:
        return f'{error}, which {package.use} needs; this installs it: {install_line(package)}'
    checkout = PACKAGE.parent
    if not (checkout / 'requirements.txt').is_file():
        return f'{error}; {runnable("doctor")} says what is missing and how it is installed'
    ready = checkout / '.venv/bin/python'
    if ready.is_file() and not Path(sys.executable).is_relative_to(checkout):
        return f'{error} for {sys.executable}: use {ready}, where everything is installed'
    return f'{error}, which this installs: cd {checkout} && {INSTALL}'


def _elsewhere(error: Exception) -> str:
    """A hint, where a library has raised it: its words may not be about what was typed."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames or Path(frames[-1].filename).is_relative_to(PACKAGE):
        return ''
    return f' ({type(error).__name__}; --debug shows where it comes from)'
