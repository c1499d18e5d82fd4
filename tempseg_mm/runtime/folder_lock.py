"""A folder, or a file, that one run at a time writes. Held by every command that writes; relies on filelock."""

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
PATIENCE = 0.5  # seconds: a run that ends just now removes its lock


class InUseError(BlockingIOError):
    """What is to be written is being written by another run; the message is for the user."""


@contextmanager
def locked(*folders: str | Path, option: str = '') -> Iterator[None]:
    """Inside, no other run is inside with one of these folders. They are made, and go again if nothing is put there.

    The system frees what a process held that is dead, however it died: nothing stale is left. Of several processes
    of one run one asks for the lock.

    Args:
        folders: where this run will write.
        option: of the command, that names another folder.

    Raises:
        InUseError: if another run is inside, naming it.
    """
    with ExitStack() as stack:
        for folder in {os.path.realpath(folder): Path(folder) for folder in folders}.values():
            stack.enter_context(_held(folder / NAME, folder, option))
        yield


@contextmanager
def locked_file(path: str | Path, *, option: str = '') -> Iterator[None]:
    """The same of a single file, or of a folder that appears as a whole: the lock lies beside it."""
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
                f'{what} is being written by {_read(holder)}: wait for its end, stop it, or write elsewhere'
                + (f' ({option})' if option else '')) from None
        try:
            holder.write_text(_this_process(), encoding='utf-8')
            yield
        finally:
            holder.unlink(missing_ok=True)
            path.unlink(missing_ok=True)  # before it is free: filelock takes no lock of a file that is gone
            lock.release()
    finally:
        with suppress(OSError):
            for folder in made:
                folder.rmdir()


def _make(folder: Path) -> list[Path]:
    """The folders that were missing, the deepest first."""
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
