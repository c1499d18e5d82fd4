"""A classifier around a backbone, to pre-train a backbone without published weights. ``configs/pretrain`` trains it."""

from contextlib import nullcontext

import torch.nn.functional as F
from mmengine.model import BaseModel
from torch import Tensor, nn

from tempseg_mm.registry import MODELS

from .compute import Compute
from .data_preprocessor import IMAGENET_MEAN, IMAGENET_STD

MODES = ('tensor', 'loss', 'predict')


@MODELS.register_module()
class ImageClassifier(BaseModel):
    """A backbone, the mean over all positions, one linear layer. Its checkpoints hold the backbone under ``backbone.``.

    Paper note: G is "pre-trained on ImageNet", but not how; this is the common way, cross-entropy on the classes
    (paper note P1).

    Args:
        backbone: config of the backbone; ``in_channels`` 3 and ``width`` are added.
        num_classes: number of classes K.
        width: multiplies the maps of the backbone; must be the generator's.
        data_preprocessor: config; default: normalisation with the mean and deviation of ``VOSDataPreprocessor``.
        compute: settings of a :class:`~tempseg_mm.models.compute.Compute` of the backbone.
    """

    def __init__(self, backbone: dict, num_classes: int, *, width: float = 1.0, data_preprocessor: dict | None = None,
                 compute: dict | None = None, init_cfg=None) -> None:
        # Built here and not by mmengine, which would not find it without a default scope.
        super().__init__(MODELS.build(data_preprocessor or dict(
            type='ImgDataPreprocessor', mean=IMAGENET_MEAN, std=IMAGENET_STD)), init_cfg)
        self.compute = Compute.of(compute)
        self.backbone = self.compute.laid_out(MODELS.build({**backbone, 'in_channels': 3, 'width': width}))
        self.head = nn.Linear(self.backbone.bottom_channels, num_classes)

    def forward(self, inputs: Tensor, data_samples: Tensor | None = None, mode: str = 'tensor'
                ) -> Tensor | dict | list:
        """Compute logits, losses or predictions, depending on ``mode``; mmengine's loops call it.

        Args:
            inputs: (B, 3, H, W) normalised RGB, H and W multiples of the backbone's ``stride``.
            data_samples: (B,) int64 labels in 0..K-1; not needed for ``'tensor'``.
            mode: ``'tensor'``, ``'loss'`` or ``'predict'``.

        Returns:
            ``'tensor'``: (B, K) logits. ``'loss'``: cross-entropy as ``loss`` and the share of hits as ``accuracy``.
            ``'predict'``: ``scores`` (K,) and ``label`` of each image, which ``TopKAccuracy`` reads.

        Raises:
            ValueError: if ``mode`` is another word.
        """
        if mode not in MODES:
            raise ValueError(f'mode must be one of {MODES}, got {mode!r}')
        with self.compute.autocast(inputs.device) if mode == 'loss' else nullcontext():
            features = self.backbone(inputs).bottom
        logits = self.head(features.float().mean(dim=(-2, -1)))
        if mode == 'tensor':
            return logits
        if mode == 'loss':
            hits = (logits.argmax(dim=1) == data_samples).float()
            return dict(loss=F.cross_entropy(logits, data_samples), accuracy=hits.mean())
        return [dict(scores=scores, label=label) for scores, label in zip(logits.softmax(dim=1), data_samples)]
