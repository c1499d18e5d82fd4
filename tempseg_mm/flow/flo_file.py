"""Middlebury ``.flo`` files: every fault named on reading, all or nothing on writing. Used by cache and data sets."""

import os

import mmcv
import numpy as np

from tempseg_mm.atomic import written_beside


class BrokenFlowFileError(OSError):
    """A file that exists but is no whole ``.flo`` file."""


def read_flo(path: str) -> np.ndarray:
    """Reads a ``.flo`` file.

    Returns:
        (H, W, 2) float32, (x, y) in pixels.

    Raises:
        FileNotFoundError: if there is no such file.
        BrokenFlowFileError: if it is truncated or not a ``.flo`` file.
    """
    try:
        return mmcv.flowread(os.fspath(path))
    except FileNotFoundError as error:
        raise FileNotFoundError(f'flow file {path} does not exist') from error
    except (OSError, ValueError, TypeError) as error:
        raise BrokenFlowFileError(f'{path} is not a whole .flo file ({error}); delete it so that it is made anew, or '
                                  'restore it') from error


def write_flo(path: str, flow: np.ndarray) -> None:
    """Writes (H, W, 2) flow, creating folders. A reader never sees half a file, whoever else writes it."""
    with written_beside(path) as beside:
        mmcv.flowwrite(np.ascontiguousarray(flow, dtype=np.float32), os.fspath(beside))
