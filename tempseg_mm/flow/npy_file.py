"""Flow files of half the size: float16 in NumPy's ``.npy`` format. Used by the cache; ``.flo`` is for exchange."""

import math
import os
from tokenize import TokenError
from typing import BinaryIO

import numpy as np

from tempseg_mm.runtime.atomic import written_beside

from .flo_file import BrokenFlowFileError

LONGEST_HEADER = 256  # headers written here have 118 bytes; Python may crash on a long, deeply nested literal
# The header is a Python literal, and NumPy does not convert the parser's errors about a broken one.
HEADER_ERRORS = (OSError, ValueError, SyntaxError, TypeError, LookupError, RecursionError, MemoryError, TokenError)


def read_npy(path: str) -> np.ndarray:
    """Read a flow file of :func:`write_npy`.

    Returns:
        (H, W, 2) float32, (x, y) in pixels.

    Raises:
        FileNotFoundError: if there is no such file.
        BrokenFlowFileError: if it is truncated or holds something else.
    """
    try:
        with open(path, 'rb') as file:
            shape = _shape(file)
            return np.fromfile(file, '<f2').reshape(shape).astype(np.float32)
    except FileNotFoundError as error:
        raise FileNotFoundError(f'flow file {path} does not exist') from error
    except HEADER_ERRORS as error:
        raise BrokenFlowFileError(f'{path} is not a whole .npy file of flow ({error}); delete it so that it is made '
                                  'again') from error


def _shape(file: BinaryIO) -> tuple:
    """Read and check the header; return (H, W, 2). Allocates no memory for a false size and unpickles nothing."""
    version = np.lib.format.read_magic(file)
    length = int.from_bytes(file.read(2), 'little')
    if version != (1, 0) or length > LONGEST_HEADER:
        raise ValueError(f'its format is {version} with a header of {length} bytes, not (1, 0) with 118')
    file.seek(-2, os.SEEK_CUR)
    shape, columns_first, dtype = np.lib.format.read_array_header_1_0(file)
    if len(shape) != 3 or shape[2] != 2 or min(shape) < 1 or columns_first or dtype != np.dtype('<f2'):
        raise ValueError(f'it holds {shape} {dtype}, not (H, W, 2) float16')
    expected, size = file.tell() + 2 * math.prod(shape), os.fstat(file.fileno()).st_size
    if size != expected:
        raise ValueError(f'its header says {shape}, which is {expected} bytes; it has {size}')
    return shape


def write_npy(path: str, flow: np.ndarray) -> None:
    """Write (H, W, 2) flow as float16, exact to 1/32 pixel up to 64 pixels; all or nothing. Creates folders.

    Raises:
        ValueError: if a vector is too long for float16 (65504 pixels).
    """
    if flow.size and np.abs(flow).max() > np.finfo(np.float16).max:
        raise ValueError(f'flow of up to {np.abs(flow).max():.3g} pixels does not fit into float16 ({path}); cache it '
                         'as float32, or check the provider that made it')
    with written_beside(path) as beside:
        np.save(os.fspath(beside), flow.astype(np.float16))
