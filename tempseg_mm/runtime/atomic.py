"""Files that appear whole or not at all. Whatever the project writes for others to read goes through here."""

import errno
import os
import platform
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # full, over a quota, beyond the largest file allowed
HOST = re.sub(r'\W', '', platform.node())[:32] or 'host'
BESIDE = re.compile(r'\..+\.(?P<host>\w+)-(?P<pid>\d+)(\.\w+)?')


@contextmanager
def written_beside(path: str | Path, *, durable: bool = False) -> Iterator[Path]:
    """Where to write a file so that ``path`` only ever holds a whole one.

    Args:
        path: the file to be; its folder is made.
        durable: whole even after a power cut. The bytes are on the disk before the file takes its place, which costs
            milliseconds: for what cannot be made again. Against the death of the process no such care is needed.

    Yields:
        A path beside it with the same suffix. It takes the place of ``path`` when the block ends well, and is removed
        when it does not.

    Raises:
        OSError: naming the file and what is free, where a disk or a quota is full.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = _beside(path, path.suffix)
    try:
        yield beside
        if durable:
            _flush(beside)
        os.replace(beside, path)
        if durable:
            _flush(path.parent)
    except Exception as error:
        if _is_for_lack_of_space(error, path.parent):
            raise no_space(path, _size(beside)) from error
        raise
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def folder_beside(path: str | Path) -> Iterator[Path]:
    """Where to write a folder of files so that ``path`` only ever holds all of them.

    Args:
        path: the folder to be. What it holds before is removed when the block ends well.

    Yields:
        An empty folder beside it, which takes its place then, and is removed when the block does not end well.
    """
    path = Path(path)
    beside = _beside(path, '')
    beside.mkdir(parents=True, exist_ok=True)
    try:
        yield beside
        if path.is_dir():
            shutil.rmtree(path)
        os.replace(beside, path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def no_space(path: Path, size: int) -> OSError:
    """The error that says that a file does not fit.

    Args:
        path: the file to be.
        size: its bytes, as far as they are known.
    """
    free = shutil.disk_usage(path.parent).free
    return OSError(errno.ENOSPC, f'no space: {size / 2**20:.1f} MiB or more were to be written and {free / 2**20:.1f} '
                   'MiB are free there (or a quota is used up). What the file held before is untouched; free some '
                   'space, or write elsewhere', str(path))


def remove_leftovers(folder: str | Path) -> list[Path]:
    """Remove files and folders that writers that died in mid-write left in a folder and those below it.

    What a living process of this machine is writing stays, and so does what another machine wrote: whether its process
    lives cannot be known here.

    Returns:
        What was removed.
    """
    removed = []
    for path in sorted(Path(folder).rglob('.*')):
        named = BESIDE.fullmatch(path.name)
        if named and named['host'] == HOST and not _lives(int(named['pid'])) and path.exists():
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            removed.append(path)
    return removed


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f'.{path.stem}.{HOST}-{os.getpid()}{suffix}')


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's
        return True
    return True


def _flush(path: Path) -> None:
    """Have the system write a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_for_lack_of_space(error: Exception, folder: Path) -> bool:
    """Libraries that write through C lose the number of the error; an empty disk tells the same."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in NO_SPACE
    return shutil.disk_usage(folder).free < 4096


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
