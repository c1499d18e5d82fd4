"""Command lines as they are typed where one is. Called by whatever prints one."""

import os
import shlex
import shutil
import sys
from pathlib import Path

MODULES = dict(tensorboard='tensorboard.main')  # programs whose package Python does not run by its name


def runnable(command: str, *arguments: str | os.PathLike) -> str:
    """A command line that works when it is pasted into the terminal one looks at.

    Args:
        command: a module of ``tempseg_mm.commands``, e.g. ``'check_dataset'``, or a program that is installed beside
            Python, e.g. ``'tensorboard'``.
        arguments: of its command line, unquoted.

    Returns:
        E.g. ``.venv/bin/tempseg-check-dataset mine.py``: the program by its name alone if the shell finds it so,
        by its path otherwise; through this Python (``... -m tempseg_mm.commands.check_dataset``) where none is
        installed.
    """
    own = (Path(__file__).resolve().parents[1] / 'commands' / f'{command}.py').is_file()
    name = f'tempseg-{command.replace("_", "-")}' if own else command
    # Not resolved: the Python of a virtual environment is a link, and its programs lie beside the link.
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
    """The command line that installs pydensecrf for this Python.

    Its sources ask for Cython 0.29.36, which knows no Python above 3.12; a later Cython builds them there.
    """
    pip = f'{shlex.quote(sys.executable)} -m pip install'
    if sys.version_info < (3, 13):
        return f'{pip} pydensecrf2'
    return f"{pip} 'cython>=3.1' setuptools wheel && {pip} --no-build-isolation pydensecrf2"


def _from_here(program: Path) -> str:
    """A path below the working folder as seen from it."""
    here = Path.cwd()
    return str(program.relative_to(here)) if program.is_relative_to(here) else str(program)
