"""Whether a file holds what it held before, by its size and its content, not its time. Used where a run is resumed."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

BLOCKS = 16


def file_digest(path: str | os.PathLike, *, most: int = 2 ** 16) -> str:
    """16 hexadecimal digits of the size of a file and of its content.

    Args:
        path: the file.
        most: bytes to look at, so that a frame costs a fraction of a millisecond. Of a larger file they are 16 blocks
            spread evenly, the first and the last among them; a compressed image that is changed anywhere differs to
            its end.

    Raises:
        OSError: if it cannot be read.
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
    """What became of files, in words; empty if all that were there are there, in their order. More may follow them.

    Args:
        then: name -> digest, in order.
        now: likewise.
    """
    gone = [name for name in then if name not in now]
    other = [name for name in then if name in now and now[name] != then[name]]
    if gone or other:
        return '; '.join(f'{_listed(names)} {what}' for names, what in ((other, 'changed'), (gone, 'not there now'))
                         if names)
    if list(then) != list(now)[:len(then)]:
        first = next(new for old, new in zip(then, now, strict=False) if old != new)
        return f'{first} is new among them'
    return ''


def _listed(names: list) -> str:
    first = Path(names[0]).name
    return f'{first} is' if len(names) == 1 else f'{first} and {len(names) - 1} more are'
