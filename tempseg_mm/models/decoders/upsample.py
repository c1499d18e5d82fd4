"""A decoder for backbones without pooling switches (strided ones), and a smoother alternative for the paper's."""


import torch.nn.functional as F
from torch import Tensor

from tempseg_mm.registry import MODELS

from .skip_decoder import SkipDecoder


@MODELS.register_module()
class UpsampleDecoder(SkipDecoder):
    """Bilinear enlarging; everything else as in :class:`SkipDecoder`."""

    def enlarge(self, x: Tensor, skip: Tensor, switch: Tensor | None) -> Tensor:
        """See :class:`SkipDecoder`; the switch is not used."""
        return F.interpolate(x, size=skip.shape[-2:], mode='bilinear', align_corners=False)
