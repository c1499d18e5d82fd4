"""Stores frames on disk, to walk backwards over frames that come forwards and to read a camera twice."""

import os
import tempfile
import threading
from pathlib import Path

import numpy as np


class FrameSpool:
    """Stores arrays of one shape and type in a temporary file, not in memory.

    ::

        with FrameSpool() as spool:
            for frame in source.frames():
                spool.append(frame.image)
            for i in reversed(range(len(spool))):
                image = spool.read(i)

    The file belongs to this process only. On Linux and macOS it has no name, so it disappears even after a crash. One
    thread may append while others read.

    Args:
        directory: folder of the file; default: the folder of temporary files (environment variable TMPDIR).

    Raises:
        OSError: if the folder cannot be written to.
    """

    def __init__(self, directory: str | Path | None = None) -> None:
        self.directory = str(directory or tempfile.gettempdir())
        self._file = tempfile.TemporaryFile(dir=self.directory, buffering=0)
        self._lock = threading.Lock()
        self._shape: tuple | None = None
        self._dtype, self._num_frames = np.dtype(np.uint8), 0

    def __len__(self) -> int:
        return self._num_frames

    def append(self, image: np.ndarray) -> int:
        """Write an array after the last one.

        Returns:
            Its position, for :meth:`read`.

        Raises:
            ValueError: if its shape or type differs from the first array's, or the spool is closed.
            OSError: if the disk is full.
        """
        with self._lock:
            if self._shape is None:
                self._shape, self._dtype = image.shape, image.dtype
            if (image.shape, image.dtype) != (self._shape, self._dtype):
                raise ValueError(f'a spool holds arrays of one shape and type: the first was {self._shape} '
                                 f'{self._dtype}, this one is {image.shape} {image.dtype}')
            self._file.seek(self._num_frames * image.nbytes)
            try:
                self._write(memoryview(np.ascontiguousarray(image)).cast('B'))
            except OSError as error:
                raise OSError(error.errno, f'frame {self._num_frames} cannot be stored in {self.directory} '
                              f'({os.strerror(error.errno or 0)}; {image.nbytes / 1e6:.1f} MB a frame): make room, or '
                              'set TMPDIR to a folder on a larger disk') from error
            self._num_frames += 1
            return self._num_frames - 1

    def read(self, i: int) -> np.ndarray:
        """Return a copy of the array at position ``i``.

        Raises:
            IndexError: if there is none.
            ValueError: if the spool is closed.
            OSError: if the file was truncated by another program.
        """
        if not 0 <= i < self._num_frames:
            raise IndexError(f'the spool has frames 0 to {self._num_frames - 1}, not {i}')
        image = np.empty(self._shape, self._dtype)
        rest = memoryview(image).cast('B')
        with self._lock:
            self._file.seek(i * image.nbytes)
            while len(rest):
                count = self._file.readinto(rest)
                if not count:
                    raise OSError(f'the temporary file in {self.directory} ends in frame {i}: did another program '
                                  'truncate it?')
                rest = rest[count:]
        return image

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def __enter__(self) -> 'FrameSpool':
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _write(self, rest: memoryview) -> None:
        while len(rest):  # one call may write less than it was given
            rest = rest[self._file.write(rest):]
