"""Decoded frames and annotations on disk, so that training beside a fast GPU decodes each file only once."""

import hashlib
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np

from tempseg_mm.datasets.vos_sequence import VOSSequence
from tempseg_mm.ops.resize import Size
from tempseg_mm.runtime.atomic import written_beside

VERSION = 1  # format of the cache, to be raised whenever the meaning of its files changes


class DecodedCache:
    """Keeps what sequences decode::

        cache_dir/
        └── 1f/a03c....npy      pixels, named by a hash of the file's path, size and time, and of how it is decoded

    A file that changes is decoded again; its old pixels stay in the folder, which may be deleted at any time. Several
    processes may share it. A frame with its annotation takes 4 bytes a pixel, 1.6 MB at 480×854.

    Args:
        cache_dir: the folder; created when needed.
    """

    def __init__(self, cache_dir: str | os.PathLike) -> None:
        self.cache_dir = Path(cache_dir)

    def frame(self, sequence: VOSSequence, i: int, size: Size = None) -> np.ndarray:
        """Return frame i as :meth:`VOSSequence.frame` does, but read-only."""
        how = 'frame', size, sequence.annotation_size
        return self._kept(sequence.frame_paths[i], how, lambda: sequence.frame(i, size))

    def object_ids(self, sequence: VOSSequence, i: int) -> np.ndarray | None:
        """Return the ids of :meth:`VOSSequence.annotation`, read-only; ``None`` if frame i is not annotated."""
        if not sequence.is_annotated(i):
            return None
        # What the values of a mask mean may depend on the other masks.
        how = ('ids', sequence.objects, sequence.threshold, sequence.annotation_size, _states(sequence.mask_paths),
               _state(sequence.frame_paths[i]))
        return self._kept(sequence.mask_paths[i], how, lambda: sequence.annotation(i).ids)

    def _kept(self, path: str, how: tuple, decode: Callable[[], np.ndarray]) -> np.ndarray:
        name = hashlib.blake2b(f'{VERSION}|{_state(path)}|{how}'.encode('utf-8', 'surrogateescape'), digest_size=16)
        kept = self.cache_dir / name.hexdigest()[:2] / f'{name.hexdigest()[2:]}.npy'
        try:
            # A map: a window reads only its own part of the frame.
            return np.asarray(np.load(kept, mmap_mode='r'))
        except (OSError, ValueError, EOFError):  # not there, or cut off by a full disk
            pixels = np.ascontiguousarray(decode())
        with written_beside(kept) as beside:
            np.save(os.fspath(beside), pixels)
        pixels.flags.writeable = False
        return pixels


def _state(path: str) -> tuple:
    status = os.stat(path)
    return os.path.abspath(path), status.st_size, status.st_mtime_ns


@lru_cache(maxsize=1000)
def _states(paths: tuple) -> str:
    """Return a hash of the states of files; a process computes it once."""
    states = [path and _state(path) for path in paths]
    return hashlib.blake2b(repr(states).encode('utf-8', 'surrogateescape'), digest_size=16).hexdigest()
