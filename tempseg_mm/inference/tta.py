"""Test-time augmentation in both senses: of the frames for fine-tuning, and of predictions averaged over views."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from mmengine.dataset import Compose
from torch import Tensor
from torch.nn import functional as F

from tempseg_mm.registry import TASK_UTILS, TRANSFORMS

Predict = Callable[[Tensor, Tensor], Tensor]
FINETUNE_AUGMENT = (
    dict(type='ClipRandomAffine', degrees=20, scale=(0.8, 1.25), flip=0.5), dict(type='ClipPhotometric'))


@dataclass(frozen=True)
class TTA:
    """Both senses of test-time augmentation, as the settings of a ``Segmenter``.

    Attributes:
        finetune: transforms that replace the ``augment`` of the fine-tuner. ``None``: the fine-tuner's own transforms
            if it has any, otherwise rotation, zoom, flip and colours.
        prediction: a :class:`TestTimeAugmentation`; ``None``: predictions are not averaged.
    """
    finetune: Sequence[dict] | None = None
    prediction: Callable[[Predict, Tensor, Tensor], Tensor] | None = None

    def augment(self, own: Compose) -> Compose:
        """Return the transforms of the given frames for fine-tuning; ``own`` are those of the fine-tuner."""
        if self.finetune is None and own.transforms:
            return own
        transforms = FINETUNE_AUGMENT if self.finetune is None else self.finetune
        return Compose([TRANSFORMS.build(dict(t)) for t in transforms])


@TASK_UTILS.register_module()
class TestTimeAugmentation:
    """Averages the probabilities over a frame, its mirror image, and both at other sizes.

    Views of one size go through the network in one batch. If the network commutes with mirroring, ``flip`` changes
    nothing.

    Paper note: by "test-time augmentation" the paper means augmenting the frames of fine-tuning, which is
    ``OnlineFinetuner(augment=...)``. This is the other common sense of the words, separate from it (paper note P18).

    Args:
        flip: whether the left-right mirror image is a view too.
        scales: sizes of the views relative to the frame.

    Raises:
        ValueError: if there is no scale, or a scale is not positive.
    """

    __test__ = False  # pytest would take the name for a class of tests

    def __init__(self, flip: bool = True, scales: Sequence[float] = (1.0,)) -> None:
        if not scales or not all(scale > 0 for scale in scales):
            raise ValueError(f'scales must be one or more positive numbers, got {scales!r}')
        self.flip = flip
        self.scales = tuple(scales)

    def __call__(self, predict: Predict, frames: Tensor, reference_masks: Tensor) -> Tensor:
        """Average ``predict`` over the views.

        Args:
            predict: function of frames and reference masks of any size that returns probabilities.
            frames: (B, 3, H, W) RGB 0..255.
            reference_masks: (B, 1, H, W) in [0, 1].

        Returns:
            (B, 1, H, W) in [0, 1].
        """
        size = frames.shape[-2:]
        total = torch.zeros((), device=frames.device)
        for scale in self.scales:
            scaled = tuple(max(1, round(side * scale)) for side in size)
            probabilities = self._at_one_size(predict, _resize(frames, scaled), _resize(reference_masks, scaled))
            total = total + _resize(probabilities, size)
        return total / len(self.scales)

    def _at_one_size(self, predict: Predict, frames: Tensor, reference_masks: Tensor) -> Tensor:
        if not self.flip:
            return predict(frames, reference_masks)
        both = predict(torch.cat([frames, frames.flip(-1)]), torch.cat([reference_masks, reference_masks.flip(-1)]))
        own, mirrored = both.chunk(2)
        return (own + mirrored.flip(-1)) / 2


def _resize(images: Tensor, size: Sequence[int]) -> Tensor:
    """Resize bilinearly, with antialiasing when shrinking."""
    if images.shape[-2:] == tuple(size):
        return images
    return F.interpolate(images.float(), tuple(size), mode='bilinear', align_corners=False, antialias=True)
