"""A classifier around a backbone: pre-trains it where there are no published weights. Trained by configs/pretrain."""

import torch.nn.functional as F
from mmengine.model import BaseModel
from torch import Tensor, nn

from tempseg_mm.registry import MODELS

from .data_preprocessor import IMAGENET_MEAN, IMAGENET_STD

MODES = ('tensor', 'loss', 'predict')


@MODELS.register_module()
class ImageClassifier(BaseModel):
    """Backbone, mean over all places, one linear layer. Its checkpoints hold the backbone under ``backbone.``.

    Paper note: G is "pre-trained on ImageNet", but not how; this is the common way, cross-entropy on the classes
    (paper note P1).

    Args:
        backbone: config; gets ``in_channels`` 3 and ``width``.
        num_classes: K.
        width: multiplies the maps of the backbone; must be the generator's.
        data_preprocessor: config; default: the mean and deviation that ``VOSDataPreprocessor`` uses.
    """

    def __init__(self, backbone: dict, num_classes: int, *, width: float = 1.0, data_preprocessor: dict | None = None,
                 init_cfg=None) -> None:
        # Built here, not by mmengine, so that it is found without a default scope too.
        super().__init__(MODELS.build(data_preprocessor or dict(
            type='ImgDataPreprocessor', mean=IMAGENET_MEAN, std=IMAGENET_STD)), init_cfg)
        self.backbone = MODELS.build({**backbone, 'in_channels': 3, 'width': width})
        self.head = nn.Linear(self.backbone.bottom_channels, num_classes)

    def forward(self, inputs: Tensor, data_samples: Tensor | None = None, mode: str = 'tensor'
                ) -> Tensor | dict | list:
        """Called by mmengine's loops.

        Args:
            inputs: (B, 3, H, W) normalised RGB, H and W multiples of the backbone's ``stride``.
            data_samples: (B,) int64 labels in 0..K-1; not needed for 'tensor'.
            mode: one of ``MODES``.

        Returns:
            'tensor': (B, K) logits. 'loss': cross-entropy as ``loss`` and the share of hits as ``accuracy``.
            'predict': for each image ``scores`` (K,) and ``label``, what ``TopKAccuracy`` reads.

        Raises:
            ValueError: for another mode.
        """
        if mode not in MODES:
            raise ValueError(f'mode must be one of {MODES}, got {mode!r}')
        logits = self.head(self.backbone(inputs).bottom.mean(dim=(-2, -1)))
        if mode == 'tensor':
            return logits
        if mode == 'loss':
            hits = (logits.argmax(dim=1) == data_samples).float()
            return dict(loss=F.cross_entropy(logits, data_samples), accuracy=hits.mean())
        return [dict(scores=scores, label=label) for scores, label in zip(logits.softmax(dim=1), data_samples)]
