"""Colours of object ids in files, overlays and pages, and colours of optical flow."""

import colorsys
from functools import cache

import numpy as np
from mmcv.visualization import flow2rgb

# The colours differ in hue or lightness, and none is near the green of the ground truth's outline.
FIRST_COLORS = (
    (255, 64, 64), (64, 140, 255), (255, 205, 0), (214, 84, 255), (0, 214, 222), (255, 138, 28), (255, 150, 200),
    (120, 94, 240), (164, 108, 60), (0, 140, 150), (176, 20, 90), (250, 226, 160),
)
MEASURE_COLORS = {'J': 1, 'F': 2, 'T': 4}  # measure -> row of `object_colors` for its curve
GOLDEN_RATIO = 0.618034
UNKNOWN = 1e6


def color_palette() -> np.ndarray:
    """Return the colour map of PASCAL VOC, which the first ids in DAVIS's annotations also have.

    The bits of an id go in turn to red, green and blue, starting with the most significant bit of each colour: 1 is
    (128, 0, 0), 2 is (0, 128, 0), 3 is (128, 128, 0), 8 is (64, 0, 0).

    Returns:
        (256, 3) uint8 RGB, the colour of id i in row i; id 0, the background, is black.
    """
    return _color_palette().copy()


@cache
def _color_palette() -> np.ndarray:  # cached, because every mask that is read is compared with it
    ids = np.arange(256)
    palette = np.zeros((256, 3), np.uint8)
    for channel in range(3):
        for place in range(3):  # three rounds are enough for 8 bits
            palette[:, channel] |= ((ids >> (3 * place + channel) & 1) << (7 - place)).astype(np.uint8)
    return palette


@cache
def object_colors() -> np.ndarray:
    """Return bright colours for objects in overlays and curves; the palette of the files is too dark for them.

    Returns:
        (256, 3) uint8 RGB, read-only, the colour of id i in row i, all different; id 0, the background, is black. The
        first twelve colours are chosen by hand; the others step round the hues by the golden ratio.
    """
    rest = (colorsys.hsv_to_rgb(i * GOLDEN_RATIO % 1, (0.5, 0.75, 1)[i % 3], (1, 0.75)[i % 2])
            for i in range(255 - len(FIRST_COLORS)))
    colors = [(0, 0, 0), *FIRST_COLORS, *(tuple(round(255 * value) for value in color) for color in rest)]
    table = np.array(colors, np.uint8)
    table.setflags(write=False)
    return table


def flow_colors(flow: np.ndarray, *, max_flow: float | None = None) -> np.ndarray:
    """Return flow as colours after the Middlebury wheel: direction as hue, length as saturation.

    Args:
        flow: (H, W, 2), (x, y) in pixels.
        max_flow: length in pixels from which saturation is full. Pictures with the same value can be compared.
            ``None``: the longest vector of this flow.

    Returns:
        (H, W, 3) uint8 RGB: white where nothing moves, black where the flow is NaN or above a million pixels.

    Raises:
        ValueError: for another shape, or if ``max_flow`` is not positive.
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
    # mmcv scales by the longest vector it sees, so an extra row contains a vector of length max_flow.
    ruler = np.zeros((1, flow.shape[1], 2), np.float32)
    ruler[..., 0] = max_flow
    return _to_uint8(flow2rgb(np.concatenate([flow, ruler]), unknown_thr=UNKNOWN)[:-1])


def _to_uint8(colors: np.ndarray) -> np.ndarray:
    return np.round(255 * np.clip(colors, 0, 1)).astype(np.uint8)
