"""Paths of the files that come with the project (configs and weights), from any working folder.

In a checkout these files lie beside the package, in an installed wheel inside it.
"""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
SHIPPED = PACKAGE / 'shipped'  # made by setup.py; exists only in a wheel
ROOT = SHIPPED if SHIPPED.is_dir() else PACKAGE.parent


def find_file(named: str | os.PathLike) -> str:
    """Find a file in the working folder or else in the folder of the project.

    Returns:
        ``named`` itself if it exists there, exists nowhere, or is a URL; otherwise the path of the project's file.
    """
    own = ROOT / named
    return str(own) if not os.path.isfile(named) and own.is_file() else os.fspath(named)


def seen_from_project(path: str | os.PathLike) -> str:
    """Return the path of a project file relative to the project folder; return any other path, or a URL, as it is."""
    full = Path(os.path.abspath(path))
    return str(full.relative_to(ROOT)) if full.is_file() and full.is_relative_to(ROOT) else os.fspath(path)
