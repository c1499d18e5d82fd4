"""Optical flow as colours. Used by the visualizer; relies on mmcv's colour wheel."""

import numpy as np
from mmcv.visualization import flow2rgb

UNKNOWN = 1e6


def flow_colors(flow: np.ndarray, *, max_flow: float | None = None) -> np.ndarray:
    """Direction as hue and length as saturation, after the Middlebury wheel.

    Args:
        flow: (H, W, 2), (x, y) in pixels.
        max_flow: length in pixels that gets full saturation, as do longer ones; pictures with the same one can be
            compared. ``None``: the longest vector of this flow.

    Returns:
        (H, W, 3) uint8 RGB: white where nothing moves, black where the flow is NaN or above a million pixels.

    Raises:
        ValueError: another shape, or a ``max_flow`` that is not positive.
    """
    if flow.ndim != 3 or flow.shape[2] != 2:
        raise ValueError(f'flow must be (H, W, 2), got {flow.shape}')
    flow = flow.astype(np.float32)
    if max_flow is None:
        return _to_uint8(flow2rgb(flow))
    if not max_flow > 0:
        raise ValueError(f'max_flow must be positive (pixels), got {max_flow}')
    length = np.hypot(flow[..., 0], flow[..., 1])
    too_long = (length > max_flow) & (np.abs(flow) <= UNKNOWN).all(-1)
    flow[too_long] *= (max_flow / length[too_long])[:, None]
    # mmcv scales by the longest vector it sees: show it one of that length in an extra row.
    ruler = np.zeros((1, flow.shape[1], 2), np.float32)
    ruler[..., 0] = max_flow
    return _to_uint8(flow2rgb(np.concatenate([flow, ruler]), unknown_thr=UNKNOWN)[:-1])


def _to_uint8(colors: np.ndarray) -> np.ndarray:
    return np.round(255 * np.clip(colors, 0, 1)).astype(np.uint8)
