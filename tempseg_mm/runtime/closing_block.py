"""The last thing that a command says: what it wrote and what to do next, a name and a path or a command to a line.

Used by what the commands call when their work is done; relies on nothing but the working folder.
"""

import os
from collections.abc import Mapping

from tempseg_mm.runtime.command_names import runnable


def closing_block(lines: Mapping[str, str | os.PathLike | None]) -> str:
    """Aligned lines, in the order given::

        closing_block({'page': Path('/home/me/runs/test/report.html'), 'curves': tensorboard_command('runs')})
        # page    runs/test/report.html
        # curves  .venv/bin/tensorboard --logdir runs

    Args:
        lines: name -> a path, shown as :func:`seen_from_here` has it, or text, shown as it is; ``None`` is left out.
    """
    shown = {name: value if isinstance(value, str) else seen_from_here(value)
             for name, value in lines.items() if value is not None}
    width = max(map(len, shown), default=0)
    return '\n'.join(f'{name:{width}}  {value}' for name, value in shown.items())


def seen_from_here(path: str | os.PathLike) -> str:
    """The shortest name under which the working folder finds a file or folder."""
    full = os.path.abspath(path)
    try:
        return min(os.path.relpath(full), full, key=len)
    except ValueError:  # on another drive
        return full


def tensorboard_command(folder: str | os.PathLike) -> str:
    """The command line that shows the curves of a folder; works when it is pasted where one stands."""
    return runnable('tensorboard', '--logdir', seen_from_here(folder))
