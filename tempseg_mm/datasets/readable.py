"""Whether all that a data set will read can be read, found out before the first iteration. Called by the data hook.

Relies on ``readable_parts()`` of the data set; what is wrong beyond that is the business of ``check``.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from tempseg_mm.runtime.safe_path import printable

MOST_SHOWN = 20
AT_ONCE = 256  # parts given to the threads in one go, so that a million of them takes no memory


class ReadablePart(NamedTuple):
    """Files that belong together.

    Attributes:
        paths: of the files.
        verify: reads them to their ends; raises OSError or ValueError, naming the file.
    """
    paths: tuple
    verify: Callable[[], None]


class BrokenDataError(ValueError):
    """Files of a data set that cannot be read, or do not fit together.

    Args:
        faults: a line for each.
        num_parts: how many parts were looked at.

    Attributes:
        faults: likewise.
    """

    def __init__(self, faults: Sequence[str], num_parts: int) -> None:
        self.faults = list(faults)
        rest = len(self.faults) - MOST_SHOWN
        lines = [printable(fault) for fault in self.faults[:MOST_SHOWN]] + ([f'and {rest} more'] if rest > 0 else [])
        super().__init__(
            f'{len(self.faults)} of {num_parts} frames cannot be used:\n  ' + '\n  '.join(lines) + '\n'
            'Mend them, or leave their sequences out with `sequences`; tempseg-check-dataset looks for more')


def parts_of(dataset: Any) -> list:
    """The :class:`ReadablePart` of a data set or of those that it wraps; none of one that reads no files."""
    inner = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    if inner != [None]:
        return [part for one in inner for part in parts_of(one)]
    return dataset.readable_parts() if hasattr(dataset, 'readable_parts') else []


def notices_of(dataset: Any) -> list:
    """How the files of a data set, or of those that it wraps, were understood, as far as they were read."""
    inner = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    if inner != [None]:
        return [notice for one in inner for notice in notices_of(one)]
    return dataset.notices() if hasattr(dataset, 'notices') else []


def fingerprint(parts: Sequence[ReadablePart]) -> str:
    """32 hexadecimal digits that change when a file is added, removed, renamed, or gets another size or time."""
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
    """Reads every file once.

    Args:
        parts: what to read.
        workers: threads; decoding does not hold Python's lock.

    Yields:
        What is wrong with a part, in order; ``None``: nothing. Broken files do not stop the search.

    Raises:
        ValueError: if ``workers`` is below 1.
    """
    if workers < 1:
        raise ValueError(f'workers must be at least 1, got {workers}')
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(parts), AT_ONCE):
            yield from pool.map(_fault, parts[start:start + AT_ONCE])


def _fault(part: ReadablePart) -> str | None:
    try:
        part.verify()
    except (OSError, ValueError) as error:
        return str(error)
    return None
