"""How the C library's allocator treats the large blocks that networks on a CPU ask for and free all the time."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
NEVER = 2**31 - 1


def keep_freed_memory() -> bool:
    """Tell glibc to keep freed blocks for the next request, instead of giving them back to the system.

    By default every block above some hundred kilobytes is asked of the system again and arrives as untouched pages, one
    page fault each 4 KiB; a training step has hundreds of thousands. Peak memory stays what it is; after the peak it is
    not given back until the process ends.

    Returns:
        Whether the C library took it; without glibc nothing changes.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, or Windows
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, NEVER)) and bool(mallopt(M_TRIM_THRESHOLD, NEVER))
