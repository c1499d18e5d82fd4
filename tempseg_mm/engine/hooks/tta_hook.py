"""Test-time augmentation in both senses of the words, for the length of a test."""

from collections.abc import Sequence

from mmengine.hooks import Hook

from tempseg_mm.inference.tta import finetune_augment
from tempseg_mm.registry import HOOKS, TASK_UTILS

from .online_finetune_hook import OnlineFinetuneHook


@HOOKS.register_module()
class TTAHook(Hook):
    """Augments the frames that the network is fine-tuned on, and averages its predictions over views of a frame.

    Paper note: "Augmentation of the frames at fine-tuning stage (Test-time augmentation)": the paper has the first
    alone, by rotation, flipping and zooming. The colours are ours (paper note P18).

    Args:
        finetune: transforms in place of the ``augment`` of the ``OnlineFinetuner``. ``None``: its own where it has
            any, else rotation, zoom, flip and colours. ``[]``: no augmentation.
        prediction: config of a ``TestTimeAugmentation``. ``None``: a frame and its mirror image. ``{}``: no averaging.
    """

    def __init__(self, finetune: Sequence[dict] | None = None, prediction: dict | None = None) -> None:
        self.finetune = finetune
        cfg = dict(type='TestTimeAugmentation') if prediction is None else prediction
        self.prediction = TASK_UTILS.build(cfg) if cfg else None
        self._own: list = []  # (fine-tuner, the augmentation it came with)

    def before_test(self, runner) -> None:
        runner.test_loop.model.test_time_augmentation = self.prediction
        for finetuner in (hook.finetuner for hook in runner.hooks if isinstance(hook, OnlineFinetuneHook)):
            self._own.append((finetuner, finetuner.augment))
            finetuner.augment = finetune_augment(finetuner.augment, self.finetune)

    def after_test(self, runner) -> None:
        runner.test_loop.model.test_time_augmentation = None
        while self._own:
            finetuner, finetuner.augment = self._own.pop()
