"""A folder that one run at a time writes into. Used by the tables of the paper; relies on locks of the system.

Not filelock: it keeps its descriptor to itself, and the folder of a killed run is free while its children still write.
"""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = '.lock'


@contextmanager
def locked(folder: str | Path) -> Iterator[int]:
    """Inside, no other run is inside with the same folder, which is made.

    The system takes the lock away when the process that holds it is dead, however it died: nothing stale is left.

    Yields:
        A file descriptor. A child process that inherits it holds the lock too, so that what a run that was killed has
        left running is not written over.

    Raises:
        BlockingIOError: if another run is inside, naming it.
    """
    path = Path(folder, NAME)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 200).decode(errors='replace') or 'another process'
            raise BlockingIOError(
                f'{folder} is being written by {holder}, or by what it started and left running: wait for its end, '
                'stop it, or write elsewhere') from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f'process {os.getpid()} on {socket.gethostname()}'.encode())
        yield descriptor
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)
