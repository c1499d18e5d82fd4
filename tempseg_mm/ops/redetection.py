"""Settings for objects that are lost: when one counts as lost, where it is looked for, and when it counts as found."""

import math
from dataclasses import dataclass

RANGES = dict(lost=(0, 1), found=(0, 1), largest=(1, math.inf), widening=(1, math.inf))


@dataclass(frozen=True)
class Redetection:
    """Says how a window that has lost its object finds it again (re-detection, as visual tracking calls it)::

        lost   = visible pixels <= lost * remembered area: no mask is moved; the network looks where the object was last
                 followed, and in every second frame in a window that grows by `widening`, at most to the whole frame
        found  = visible pixels <= largest * remembered area, and the network is sure: its mask holds at least `found`
                 times the usual share of the pixels in which the object may be; other answers count as no mask

    Each part can be switched off by itself. What each gains is in docs/ablations.md, "Finding a lost object again".

    Args:
        lost: share of the remembered area up to which an object counts as lost, in [0, 1]; 0: only without any pixel.
        found: share of the possible pixels in the mask from which a lost object is found, relative to the usual share,
            in [0, 1]; 0: however unsure the network is.
        largest: largest area of a found object, in remembered areas, at least 1; ``inf``: any area.
        widening: growth of every second window for each frame without the object, at least 1; 1: it is looked for only
            where it was.

    Raises:
        ValueError: for a setting out of range.
    """
    lost: float = 0.1
    found: float = 0.8
    largest: float = 3.0
    widening: float = 1.25

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                limits = f'at least {low}' if high == math.inf else f'from {low} to {high}'
                raise ValueError(f'{name} of redetection must be {limits}, got {value!r}')
