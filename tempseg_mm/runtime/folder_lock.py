"""Locks that let only one run at a time write a folder or a file. Held by every command that writes; uses filelock."""

import os
import shlex
import socket
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

NAME = '.lock'
PATIENCE = 0.5  # seconds to wait for a run that is just ending and about to remove its lock


class InUseError(BlockingIOError):
    """Raised when another run is writing the same folder or file. The message is written for the user."""


@contextmanager
def locked(*folders: str | Path, option: str = '') -> Iterator[None]:
    """Lock folders for the block, so that no other run writes them meanwhile.

    The folders are created, and removed at the end if nothing was written into them. The system frees the lock of a
    dead process however it died, so no stale lock remains. In a run of several processes, only one of them takes the
    lock.

    Args:
        folders: the folders that this run will write to.
        option: command-line option that names another folder, for the message.

    Raises:
        InUseError: if another run holds the lock; the message names that run.
    """
    with ExitStack() as stack:
        for folder in {os.path.realpath(folder): Path(folder) for folder in folders}.values():
            stack.enter_context(_held(folder / NAME, folder, option))
        yield


@contextmanager
def locked_file(path: str | Path, *, option: str = '') -> Iterator[None]:
    """Lock a single file, or a folder that appears as a whole, as :func:`locked` does. The lock file lies beside it."""
    path = Path(path).absolute()
    with _held(path.with_name(f'.{path.name}{NAME}'), path, option):
        yield


@contextmanager
def _held(path: Path, what: Path, option: str) -> Iterator[None]:
    made = _make(path.parent)
    lock, holder = FileLock(path, timeout=PATIENCE), path.with_name(f'{path.name}.holder')
    try:
        try:
            lock.acquire()
        except Timeout:
            raise InUseError(
                f'{what} is being written by {_read(holder)}: wait until it ends, stop it, or write elsewhere'
                + (f' ({option})' if option else '')) from None
        try:
            holder.write_text(_this_process(), encoding='utf-8')
            yield
        finally:
            holder.unlink(missing_ok=True)
            path.unlink(missing_ok=True)  # before the release: filelock never locks a file that was removed
            lock.release()
    finally:
        with suppress(OSError):
            for folder in made:
                folder.rmdir()


def _make(folder: Path) -> list[Path]:
    """Create a folder; return the folders that were missing, the deepest first."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _this_process() -> str:
    command = textwrap.shorten(shlex.join(sys.argv), 160, placeholder=' ...')
    return f'process {os.getpid()} on {socket.gethostname()} since {time.strftime("%Y-%m-%d %H:%M:%S")} ({command})'


def _read(holder: Path) -> str:
    with suppress(OSError):
        return holder.read_text(encoding='utf-8', errors='replace') or 'another process'
    return 'another process'
