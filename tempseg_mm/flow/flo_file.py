"""Middlebury ``.flo`` files: every fault named on reading, all or nothing on writing. Used by cache and data sets."""

import os
import struct

import mmcv
import numpy as np

from tempseg_mm.runtime.atomic import written_beside

HEADER = struct.Struct('<4sii')  # magic, width, height


class BrokenFlowFileError(OSError):
    """A file that exists but is no whole ``.flo`` file."""


def read_flo(path: str) -> np.ndarray:
    """Reads a ``.flo`` file, after a look at its header: no memory is taken for what it only claims to hold.

    Returns:
        (H, W, 2) float32, (x, y) in pixels.

    Raises:
        FileNotFoundError: if there is no such file.
        BrokenFlowFileError: if it is truncated or not a ``.flo`` file.
    """
    try:
        _require_whole(path)
        return mmcv.flowread(os.fspath(path))
    except FileNotFoundError as error:
        raise FileNotFoundError(f'flow file {path} does not exist') from error
    except (OSError, ValueError) as error:
        raise BrokenFlowFileError(f'{path} is not a whole .flo file ({error}); delete it so that it is made again, or '
                                  'restore it') from error


def _require_whole(path: str) -> None:
    with open(path, 'rb') as file:
        header = file.read(HEADER.size)
        size = os.fstat(file.fileno()).st_size
    if len(header) < HEADER.size or not header.startswith(b'PIEH'):
        raise ValueError('it does not begin with PIEH, width and height')
    _, width, height = HEADER.unpack(header)
    if width < 1 or height < 1:
        raise ValueError(f'its header says {height}x{width} (height x width)')
    expected = HEADER.size + 8 * width * height
    if size != expected:
        raise ValueError(f'its header says {height}x{width} (height x width), which is {expected} bytes; it has {size}')


def write_flo(path: str, flow: np.ndarray) -> None:
    """Writes (H, W, 2) flow, creating folders. A reader never sees half a file, whoever else writes it."""
    with written_beside(path) as beside:
        mmcv.flowwrite(np.ascontiguousarray(flow, dtype=np.float32), os.fspath(beside))
