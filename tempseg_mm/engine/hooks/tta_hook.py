"""Switches on test-time augmentation, in both senses of the words."""

from collections.abc import Sequence

from mmengine.hooks import Hook

from tempseg_mm.inference.segmenter import Segmenter
from tempseg_mm.inference.tta import TTA
from tempseg_mm.registry import HOOKS, TASK_UTILS


@HOOKS.register_module()
class TTAHook(Hook):
    """Augments the frames for fine-tuning, and averages predictions over views of a frame.

    Paper note: "Augmentation of the frames at fine-tuning stage (Test-time augmentation)": the paper has the first
    alone, by rotation, flipping and zooming. The colours are ours (paper note P18).

    Args:
        finetune: transforms that replace the ``augment`` of the ``OnlineFinetuner``. ``None``: the fine-tuner's own
            transforms if it has any, otherwise rotation, zoom, flip and colours. ``[]``: no augmentation.
        prediction: config of a ``TestTimeAugmentation``. ``None``: a frame and its mirror image. ``{}``: no averaging.
    """

    def __init__(self, finetune: Sequence[dict] | None = None, prediction: dict | None = None) -> None:
        cfg = dict(type='TestTimeAugmentation') if prediction is None else prediction
        self.tta = TTA(finetune, TASK_UTILS.build(cfg) if cfg else None)

    def set_up_segmenter(self, segmenter: Segmenter) -> None:
        """Set the augmentation of the segmenter; see ``VOSTestLoop``."""
        segmenter.tta = self.tta
