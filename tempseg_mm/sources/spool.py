"""Frames put aside on disk. Used to walk backwards over frames that come forwards, and to read a camera twice."""

import os
import tempfile
import threading
from pathlib import Path

import numpy as np


class FrameSpool:
    """Arrays of one shape and type in a temporary file, as many as the disk holds; memory holds none.

    ::

        with FrameSpool() as spool:
            for frame in source.frames():
                spool.append(frame.image)
            for i in reversed(range(len(spool))):
                image = spool.read(i)

    The file is of this process alone: on Linux and macOS it has no name, so it is gone even after a crash. One thread
    may append while others read.

    Args:
        directory: where it lies; default: that of temporary files, which the environment variable TMPDIR names.

    Raises:
        OSError: if nothing can be written there.
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
        """Writes an array behind the last one.

        Args:
            image: any shape and type, those of the first.

        Returns:
            Its place, for :meth:`read`.

        Raises:
            ValueError: another shape or type than the first, or the spool is closed.
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
                raise OSError(error.errno, f'frame {self._num_frames} cannot be put aside in {self.directory} '
                              f'({os.strerror(error.errno or 0)}; {image.nbytes / 1e6:.1f} MB a frame): make room, or '
                              'set TMPDIR to a folder on a larger disk') from error
            self._num_frames += 1
            return self._num_frames - 1

    def read(self, i: int) -> np.ndarray:
        """The array at place ``i``, a copy.

        Raises:
            IndexError: if there is none.
            ValueError: if the spool is closed.
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
                    raise OSError(f'the temporary file in {self.directory} ends in frame {i}: was it cut from outside?')
                rest = rest[count:]
        return image

    def close(self) -> None:
        """Removes the file."""
        self._file.close()

    def __enter__(self) -> 'FrameSpool':
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _write(self, rest: memoryview) -> None:
        while len(rest):  # the system may take less than it is given
            rest = rest[self._file.write(rest):]
