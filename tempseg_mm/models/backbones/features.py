"""The interface between backbones and decoders: the features that a backbone returns."""

from typing import NamedTuple

from torch import Tensor


class Features(NamedTuple):
    """Feature maps of the contracting path.

    Attributes:
        bottom: (B, C', H/s, W/s), the deepest map, where s is the ``stride`` of the backbone.
        skips: the maps before each halving of the resolution, finest first, each half the size of the one before. The
            finest is (B, C_0, H, W), or (B, C_0, H/2, W/2) if the backbone starts with a strided layer.
        switches: the flat arg-max indices of the 2x2 pooling of each skip, int64, half the size of the skip. ``None``
            if the backbone does not pool. A decoder that unpools needs them.
    """
    bottom: Tensor
    skips: tuple
    switches: tuple | None = None
