"""Settings of the process: freed memory is kept, and the garbage collector leaves imported modules alone."""

import atexit
import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # numbers from glibc's malloc.h
NEVER = 2**31 - 1


def keep_freed_memory() -> bool:
    """Tell glibc to keep freed blocks for later requests instead of returning them to the system.

    By default glibc requests every block above some hundred kilobytes from the system again. The block arrives as
    untouched pages and costs one page fault per 4 KiB; a training step has hundreds of thousands of such faults. With
    this setting, peak memory stays the same, but memory is not returned to the system before the process ends.

    Returns:
        True if the C library accepted the setting. Without glibc nothing changes.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, or Windows
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, NEVER)) and bool(mallopt(M_TRIM_THRESHOLD, NEVER))


@contextmanager
def importing() -> Iterator[None]:
    """Let Python's garbage collector leave alone what modules make while they are imported in the block.

    torch and mmengine make 300,000 objects that live as long as the process. The collector would walk over all of them
    several times during the imports, and again at the end of the process: together two seconds of a command.
    """
    was_enabled, known = gc.isenabled(), len(sys.modules)
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > known:  # else a repeated call would keep the garbage of others
            gc.freeze()
            atexit.register(gc.freeze)
        if was_enabled:
            gc.enable()
