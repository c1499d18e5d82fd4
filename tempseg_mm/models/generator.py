"""The generator G: a backbone and a decoder from the registry, put together."""

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from tempseg_mm.registry import MODELS

REFERENCE_MODES = ('input', 'none')


@MODELS.register_module()
class EncoderDecoderGenerator(BaseModule):
    """Turns frames, and their reference masks if configured, into mask logits of the same size.

    With the default parts this is the generator of Table A.1: 9.45 million parameters at full width.

    Paper note: "masks are again used as reference masks", yet G's input is W x H x 3. ``reference_mask='input'`` makes
    the reference a fourth input channel; ``'none'`` is the RGB-only reading (paper note P16).

    If the finest map of the backbone is coarser than the input, the logits are enlarged bilinearly.

    Args:
        backbone: config of the contracting path; ``in_channels`` and ``width`` are added.
        decoder: config of the expanding path; ``bottom_channels`` and ``skip_channels`` are added.
        reference_mask: ``'input'`` or ``'none'``.
        width: multiplies the maps of every layer.

    Raises:
        ValueError: if ``reference_mask`` is another word.
    """

    def __init__(self, backbone: dict, decoder: dict, *, reference_mask: str = 'input', width: float = 1.0,
                 init_cfg=None) -> None:
        super().__init__(init_cfg)
        if reference_mask not in REFERENCE_MODES:
            raise ValueError(f'reference_mask must be one of {REFERENCE_MODES}, got {reference_mask!r}')
        self.uses_reference = reference_mask == 'input'
        self.backbone = MODELS.build({**backbone, 'in_channels': 3 + self.uses_reference, 'width': width})
        self.decoder = MODELS.build({
            **decoder, 'bottom_channels': self.backbone.bottom_channels, 'skip_channels': self.backbone.skip_channels})

    def forward(self, frames: Tensor, reference_masks: Tensor) -> Tensor:
        """Compute mask logits for frames of any size.

        The frames are padded to a multiple of the backbone's stride, and the logits are cropped accordingly.

        Args:
            frames: (B, 3, H, W) normalised RGB.
            reference_masks: (B, 1, H, W) in [0, 1]; not read with ``reference_mask='none'``.

        Returns:
            (B, 1, H, W) logits.
        """
        x = torch.cat([frames, reference_masks], dim=1) if self.uses_reference else frames
        height, width = x.shape[-2:]
        stride = self.backbone.stride
        x = F.pad(x, (0, -width % stride, 0, -height % stride), mode='replicate')
        logits = self.decoder(self.backbone(x))
        if logits.shape[-2:] != x.shape[-2:]:
            logits = F.interpolate(logits, size=x.shape[-2:], mode='bilinear', align_corners=False)
        return logits[..., :height, :width]
