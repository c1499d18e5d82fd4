"""The paper's decoder: maps grow by max-unpooling with the switches of the contracting path."""


import torch
import torch.nn.functional as F
from torch import Tensor

from tempseg_mm.registry import MODELS

from .skip_decoder import SkipDecoder


@MODELS.register_module()
class UnpoolDecoder(SkipDecoder):
    """Unpooling after Zeiler and Fergus, 2014: each value returns to where its maximum came from, zeros elsewhere."""

    def enlarge(self, x: Tensor, skip: Tensor, switch: Tensor | None) -> Tensor:
        """See :class:`SkipDecoder`.

        Raises:
            ValueError: if the backbone keeps no switches, or other ``channels`` leave maps without one.
        """
        if switch is None:
            raise ValueError('UnpoolDecoder needs a backbone that keeps its pooling switches; this one does not. '
                             "Use decoder=dict(type='UpsampleDecoder').")
        if x.shape[1] != switch.shape[1]:
            raise ValueError(f'UnpoolDecoder has {x.shape[1]} maps to enlarge and switches for {switch.shape[1]}: '
                             "leave `channels` out, or use decoder=dict(type='UpsampleDecoder')")
        # `max_unpool2d` is refused where torch must be deterministic, though no two maxima share a place here; and in
        # an export it would keep the size of the frames it was traced with.
        if torch.jit.is_tracing() or torch.are_deterministic_algorithms_enabled():
            zeros = torch.zeros_like(skip, dtype=x.dtype)
            return zeros.flatten(2).scatter(2, switch.flatten(2), x.flatten(2)).view_as(skip)
        return F.max_unpool2d(x, switch, 2, output_size=skip.shape[-2:])
