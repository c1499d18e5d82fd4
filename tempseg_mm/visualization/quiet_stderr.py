"""Needless words of C libraries, kept from the terminal; everything else comes through. Used by the video writer."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

STDERR = 2  # the file descriptor, which C libraries write to


@contextmanager
def quiet_about(words: bytes) -> Iterator[None]:
    """Inside, what the process writes to its error stream is held back; lines without these words follow at the end.

    For moments: a process that dies inside takes along what it said there. Where there is no error stream, nothing is
    done.

    Args:
        words: of the lines to drop.
    """
    try:
        kept = os.dup(STDERR)
    except OSError:
        yield
        return
    with tempfile.TemporaryFile() as held:
        _flush()
        os.dup2(held.fileno(), STDERR)
        try:
            yield
        finally:
            _flush()
            os.dup2(kept, STDERR)
            os.close(kept)
            held.seek(0)
            for line in held:
                if words not in line:
                    os.write(STDERR, line)


def _flush() -> None:
    if sys.stderr is not None:
        sys.stderr.flush()
