"""Setting of the C library's allocator for the large blocks that networks on a CPU allocate and free all the time."""

import ctypes

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
