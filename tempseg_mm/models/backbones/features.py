"""What a backbone hands to a decoder: the one contract between them."""

from typing import NamedTuple

from torch import Tensor


class Features(NamedTuple):
    """Maps of the contracting path.

    Attributes:
        bottom: (B, C', H/s, W/s), the deepest map, s the backbone's ``stride``.
        skips: maps before each halving of the resolution, finest first, each half the size of the one before it. Where
            a backbone starts with a strided layer the finest is (B, C_0, H/2, W/2), else (B, C_0, H, W).
        switches: for each skip the flat arg-max indices of its 2x2 pooling (int64, half its size), or ``None`` where
            the backbone does not pool; a decoder that unpools needs them.
    """
    bottom: Tensor
    skips: tuple
    switches: tuple | None = None
