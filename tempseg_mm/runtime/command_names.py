"""Command lines that work when the user pastes them in the working folder. Used by all code that prints one."""

import os
import shlex
import shutil
import sys
from pathlib import Path

MODULES = dict(tensorboard='tensorboard.main')  # program -> module to run with -m, if its package cannot be run


def runnable(command: str, *arguments: str | os.PathLike) -> str:
    """Return a command line that works when pasted into the user's terminal.

    Args:
        command: a module of ``tempseg_mm.commands``, e.g. ``'check_dataset'``, or a program that is installed beside
            Python, e.g. ``'tensorboard'``.
        arguments: arguments of the command, unquoted.

    Returns:
        The command line, e.g. ``.venv/bin/tempseg-check-dataset mine.py``. The program is given by its name if the
        shell finds this program under it, otherwise by its path. If no program is installed, the line runs the module
        with this Python (``... -m tempseg_mm.commands.check_dataset``).
    """
    own = (Path(__file__).resolve().parents[1] / 'commands' / f'{command}.py').is_file()
    name = f'tempseg-{command.replace("_", "-")}' if own else command
    # The path is not resolved: the Python of a virtual environment is a link, and its programs lie beside the link.
    program = Path(sys.executable).with_name(name)
    if not program.is_file():
        module = f'tempseg_mm.commands.{command}' if own else MODULES.get(command, command)
        program, start = Path(sys.executable), ['-m', module]
    else:
        start = []
    found = shutil.which(program.name)
    known = found is not None and os.path.samefile(found, program) and Path(found).parent == program.parent
    return shlex.join([program.name if known else _from_here(program), *start, *map(os.fspath, arguments)])


def pydensecrf_install() -> str:
    """Return the command line that installs pydensecrf for this Python.

    Its sources require Cython 0.29.36, which supports Python up to 3.12; above that, a later Cython builds them.
    """
    pip = f'{shlex.quote(sys.executable)} -m pip install'
    if sys.version_info < (3, 13):
        return f'{pip} pydensecrf2'
    return f"{pip} 'cython>=3.1' setuptools wheel && {pip} --no-build-isolation pydensecrf2"


def _from_here(program: Path) -> str:
    """Return a path relative to the working folder if it lies inside, otherwise as it is."""
    here = Path.cwd()
    return str(program.relative_to(here)) if program.is_relative_to(here) else str(program)
