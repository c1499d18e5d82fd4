"""Files that come with the project, its configs and weights, named from wherever one is.

Called by whatever takes their paths. In a checkout they lie beside the package, in an installed wheel inside it.
"""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
SHIPPED = PACKAGE / 'shipped'  # made by setup.py, in a wheel alone
ROOT = SHIPPED if SHIPPED.is_dir() else PACKAGE.parent


def find_file(named: str | os.PathLike) -> str:
    """A file as seen from the working folder or else from the folder of the project.

    Returns:
        The path as it was named if it is there, or is nowhere (or is a URL); else that of the project's own file.
    """
    own = ROOT / named
    return str(own) if not os.path.isfile(named) and own.is_file() else os.fspath(named)


def seen_from_project(path: str | os.PathLike) -> str:
    """The name of a file of the project, wherever that lies and one works; of a file elsewhere, or a URL, as it is."""
    full = Path(os.path.abspath(path))
    return str(full.relative_to(ROOT)) if full.is_file() and full.is_relative_to(ROOT) else os.fspath(path)
