"""Colours of object ids. Used by the indexed PNG writer."""

import numpy as np


def color_palette() -> np.ndarray:
    """The colour map of PASCAL VOC, which DAVIS's annotations start with.

    The bits of an id are dealt out in turn to red, green and blue, most significant bit of the colour first: 1 is
    (128, 0, 0), 2 (0, 128, 0), 3 (128, 128, 0), 8 (64, 0, 0).

    Returns:
        (256, 3) uint8 RGB, the colour of id i in row i; id 0, the background, is black.
    """
    ids = np.arange(256)
    palette = np.zeros((256, 3), np.uint8)
    for channel in range(3):
        for place in range(3):  # 8 bits are dealt out in at most three rounds
            palette[:, channel] |= ((ids >> (3 * place + channel) & 1) << (7 - place)).astype(np.uint8)
    return palette
