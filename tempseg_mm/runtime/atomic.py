"""Files that appear whole or not at all. The project writes every file that others read through this module."""

import errno
import os
import platform
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # disk full, quota used up, file larger than allowed
HOST = re.sub(r'\W', '', platform.node())[:32] or 'host'
BESIDE = re.compile(r'\..+\.(?P<host>\w+)-(?P<pid>\d+)(\.\w+)?')


@contextmanager
def written_beside(path: str | Path, *, durable: bool = False) -> Iterator[Path]:
    """Yield a temporary path to write to, so that ``path`` never holds half a file.

    Args:
        path: the final file. Its folder is created.
        durable: flush the bytes to the disk before the file takes its place, so that it is whole even after a power
            cut. This costs milliseconds; use it for files that cannot be made again. The death of the process alone
            needs no flush.

    Yields:
        A path in the same folder with the same suffix. It replaces ``path`` if the block ends without an error and is
        removed otherwise.

    Raises:
        OSError: if the disk or a quota is full; the message names the file and the free space.
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
    """Yield a temporary folder to write files to, so that ``path`` holds either all of them or none.

    Args:
        path: the final folder. Its earlier content is removed when the block ends without an error.

    Yields:
        An empty folder beside ``path``. It replaces ``path`` if the block ends without an error and is removed
        otherwise.
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
    """Return the error that says that a file does not fit on the disk.

    Args:
        path: the file that was to be written.
        size: its size in bytes, as far as it is known.
    """
    free = shutil.disk_usage(path.parent).free
    return OSError(errno.ENOSPC, f'no space: {size / 2**20:.1f} MiB or more are needed, and {free / 2**20:.1f} MiB are '
                   'free there (or a quota is used up). The earlier content of the file is untouched. Free some space, '
                   'or write elsewhere', str(path))


def remove_leftovers(folder: str | Path) -> list[Path]:
    """Remove the temporary files and folders that dead writers left in a folder and its sub-folders.

    Files of a living process of this machine stay. Files of another machine stay too, because this machine cannot tell
    whether their process lives.

    Returns:
        The paths that were removed.
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
    except PermissionError:  # a process of another user
        return True
    return True


def _flush(path: Path) -> None:
    """Make the system write a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_for_lack_of_space(error: Exception, folder: Path) -> bool:
    """Return True if a full disk caused the error. If a C library lost the error number, the free space decides."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in NO_SPACE
    return shutil.disk_usage(folder).free < 4096


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
