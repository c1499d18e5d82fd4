"""Files that appear whole or not at all. Whatever the project writes for others to read goes through here."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_beside(path: str | Path) -> Iterator[Path]:
    """Where to write a file so that ``path`` only ever holds a whole one.

    Args:
        path: the file to be; its folder is made.

    Yields:
        A path beside it with the same suffix. It takes the place of ``path`` when the block ends well, and is removed
        when it does not.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f'.{path.stem}.{os.getpid()}{path.suffix}')
    try:
        yield beside
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
