"""Digests that tell whether a file still has the same size and content, whatever its time stamp; used to resume."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

BLOCKS = 16


def file_digest(path: str | os.PathLike, *, most: int = 2 ** 16) -> str:
    """Return 16 hexadecimal digits computed from the size and the content of a file.

    Args:
        path: the file.
        most: most bytes to read, so that a frame costs a fraction of a millisecond. For a larger file these bytes are
            16 blocks at even distances, including the first and the last one. A change anywhere in a compressed image
            changes all bytes after it, so the last block shows it.

    Raises:
        OSError: if the file cannot be read.
    """
    with open(path, 'rb', buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.blake2b(str(size).encode(), digest_size=8)
        if size <= most:
            digest.update(file.read())
        else:
            block = most // BLOCKS
            for i in range(BLOCKS):
                file.seek((size - block) * i // (BLOCKS - 1))
                digest.update(file.read(block))
    return digest.hexdigest()


def changed_files(then: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Describe how files changed; return an empty string if all earlier files are there, unchanged and in order.

    New files may follow them.

    Args:
        then: earlier state, name -> digest, in order.
        now: present state, in the same form.
    """
    gone = [name for name in then if name not in now]
    other = [name for name in then if name in now and now[name] != then[name]]
    if gone or other:
        return '; '.join(f'{_listed(names)} {what}' for names, what in ((other, 'changed'), (gone, 'missing now'))
                         if names)
    if list(then) != list(now)[:len(then)]:
        first = next(new for old, new in zip(then, now, strict=False) if old != new)
        return f'{first} is new or has moved among them'
    return ''


def _listed(names: list) -> str:
    first = Path(names[0]).name
    return f'{first} is' if len(names) == 1 else f'{first} and {len(names) - 1} more are'
