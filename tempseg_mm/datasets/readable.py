"""Checks before the first iteration that a data set can read all of its files. Called by the data hook.

It relies on ``readable_parts()`` of the data set. ``check`` finds other faults.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from tempseg_mm.runtime.safe_path import printable

MOST_SHOWN = 20
AT_ONCE = 256  # parts given to the threads at a time, so that a million parts need no memory


class ReadablePart(NamedTuple):
    """Files that are used together, such as a frame, its annotation and its flow.

    Attributes:
        paths: paths of the files.
        verify: reads the files completely; raises OSError or ValueError that names the file.
    """
    paths: tuple
    verify: Callable[[], None]


class BrokenDataError(ValueError):
    """Raised if files of a data set cannot be read or do not fit together.

    Args:
        faults: one line per fault; also an attribute.
        num_parts: number of parts that were checked.
    """

    def __init__(self, faults: Sequence[str], num_parts: int) -> None:
        self.faults = list(faults)
        rest = len(self.faults) - MOST_SHOWN
        lines = [printable(fault) for fault in self.faults[:MOST_SHOWN]] + ([f'and {rest} more'] if rest > 0 else [])
        super().__init__(
            f'{len(self.faults)} of {num_parts} frames cannot be used:\n  ' + '\n  '.join(lines) + '\n'
            'Fix them, or leave their sequences out with `sequences`; tempseg-check-dataset looks for more faults')


def parts_of(dataset: Any) -> list:
    """Return every :class:`ReadablePart` of a data set, or of those that it wraps; none if it reads no files."""
    inner = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    if inner != [None]:
        return [part for one in inner for part in parts_of(one)]
    return dataset.readable_parts() if hasattr(dataset, 'readable_parts') else []


def notices_of(dataset: Any) -> list:
    """Return the notices of a data set, or of those that it wraps, on how files read so far were interpreted."""
    inner = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    if inner != [None]:
        return [notice for one in inner for notice in notices_of(one)]
    return dataset.notices() if hasattr(dataset, 'notices') else []


def fingerprint(parts: Sequence[ReadablePart]) -> str:
    """Return 32 hexadecimal digits that change if a file is added, removed or renamed, or its size or time changes."""
    digest = hashlib.blake2b(digest_size=16)
    for path in (path for part in parts for path in part.paths):
        try:
            status = os.stat(path)
            state = f'{status.st_size} {status.st_mtime_ns}'
        except OSError:
            state = 'missing'
        digest.update(f'{os.path.abspath(path)}\0{state}\0'.encode('utf-8', 'surrogateescape'))
    return digest.hexdigest()


def faults_of(parts: Sequence[ReadablePart], *, workers: int = 1) -> Iterator[str | None]:
    """Read every file of ``parts`` once, using ``workers`` threads.

    Yields:
        The fault of each part, in order, or ``None`` if it has none. A broken file does not stop the search.

    Raises:
        ValueError: if ``workers`` is below 1.
    """
    if workers < 1:
        raise ValueError(f'workers must be at least 1, got {workers}')
    with ThreadPoolExecutor(workers) as pool:  # decoding does not hold Python's lock
        for start in range(0, len(parts), AT_ONCE):
            yield from pool.map(_fault, parts[start:start + AT_ONCE])


def _fault(part: ReadablePart) -> str | None:
    try:
        part.verify()
    except (OSError, ValueError) as error:
        return str(error)
    return None
