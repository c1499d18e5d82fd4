"""Middlebury ``.flo`` files: reading names every fault, writing is all or nothing. Used by the cache and data sets."""

import os
import struct

import mmcv
import numpy as np

from tempseg_mm.runtime.atomic import written_beside

HEADER = struct.Struct('<4sii')  # magic, width, height


class BrokenFlowFileError(OSError):
    """Raised when a file exists but is not a complete file of its format."""


def read_flo(path: str) -> np.ndarray:
    """Read a ``.flo`` file. The header is checked against the size of the file before memory is allocated.

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
    """Write (H, W, 2) flow and create folders. A reader never sees half a file, even if several processes write it."""
    with written_beside(path) as beside:
        mmcv.flowwrite(np.ascontiguousarray(flow, dtype=np.float32), os.fspath(beside))
