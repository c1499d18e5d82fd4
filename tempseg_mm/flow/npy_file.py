"""Flow at half the size on disk: float16 in NumPy's own ``.npy``. Used by the cache; ``.flo`` is for exchange."""

import os

import numpy as np

from tempseg_mm.atomic import written_beside

from .flo_file import BrokenFlowFileError


def read_npy(path: str) -> np.ndarray:
    """Reads a flow file of :func:`write_npy`.

    Returns:
        (H, W, 2) float32, (x, y) in pixels.

    Raises:
        FileNotFoundError: if there is no such file.
        BrokenFlowFileError: if it is truncated or holds something else.
    """
    try:
        flow = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise FileNotFoundError(f'flow file {path} does not exist') from error
    except (OSError, ValueError, EOFError) as error:
        raise BrokenFlowFileError(f'{path} is not a whole .npy file ({error}); delete it so that it is made anew'
                                  ) from error
    if not isinstance(flow, np.ndarray) or flow.ndim != 3 or flow.shape[2] != 2 or flow.dtype != np.float16:
        raise BrokenFlowFileError(f'{path} holds no (H, W, 2) float16 flow; delete it so that it is made anew')
    return flow.astype(np.float32)


def write_npy(path: str, flow: np.ndarray) -> None:
    """Writes (H, W, 2) flow as float16, exact to 1/32 pixel up to 64 pixels; all or nothing, creating folders.

    Raises:
        ValueError: if a vector is too long for float16, 65504 pixels.
    """
    if flow.size and np.abs(flow).max() > np.finfo(np.float16).max:
        raise ValueError(f'flow of up to {np.abs(flow).max():.3g} pixels does not fit into float16 ({path}); cache it '
                         'as float32, or look at what made it')
    with written_beside(path) as beside:
        np.save(os.fspath(beside), flow.astype(np.float16))
