"""Last lines of a command: what it wrote and what to do next, one name with a path or a command per line."""

import os
from collections.abc import Mapping

from tempseg_mm.runtime.command_names import runnable


def closing_block(lines: Mapping[str, str | os.PathLike | None]) -> str:
    """Return aligned lines in the given order::

        closing_block({'page': Path('/home/me/runs/test/report.html'), 'curves': tensorboard_command('runs')})
        # page    runs/test/report.html
        # curves  .venv/bin/tensorboard --logdir runs

    Args:
        lines: name -> value. A path is shortened by :func:`seen_from_here`, text is shown unchanged, and an entry with
            ``None`` is left out.
    """
    shown = {name: value if isinstance(value, str) else seen_from_here(value)
             for name, value in lines.items() if value is not None}
    width = max(map(len, shown), default=0)
    return '\n'.join(f'{name:{width}}  {value}' for name, value in shown.items())


def seen_from_here(path: str | os.PathLike) -> str:
    """Return the shortest name by which the working folder finds a file or folder."""
    full = os.path.abspath(path)
    try:
        return min(os.path.relpath(full), full, key=len)
    except ValueError:  # on another drive
        return full


def tensorboard_command(folder: str | os.PathLike) -> str:
    """Return the command line that shows the curves of a folder. It works when pasted in the working folder."""
    return runnable('tensorboard', '--logdir', seen_from_here(folder))
