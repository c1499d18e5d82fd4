"""Needless words of C libraries, kept from the terminal; everything else comes through. Used by the video writer."""

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STDERR = 2  # the file descriptor, which C libraries write to
_alone = threading.Lock()  # two at once would give back each other's stream


@contextmanager
def quiet_about(words: bytes) -> Iterator[None]:
    """Inside, what the process writes to its error stream is held back; lines without these words follow at the end.

    For moments: a process that dies inside takes along what it said there. Where there is no error stream, nothing is
    done.

    Args:
        words: of the lines to drop.
    """
    with _alone:
        try:
            kept = os.dup(STDERR)  # before a file is opened, which would take the place of a closed stream
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
