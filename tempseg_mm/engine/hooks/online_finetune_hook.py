"""Switches on online fine-tuning on the given frames."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from tempseg_mm.inference.segmenter import Segmenter
from tempseg_mm.registry import HOOKS, TASK_UTILS


@HOOKS.register_module()
class OnlineFinetuneHook(Hook):
    """Gives each object of a sequence its own copy of the generator, fine-tuned on the object.

    Args:
        finetuner: config of an ``OnlineFinetuner``.
    """

    priority = 'HIGH'

    def __init__(self, finetuner: dict) -> None:
        self.finetuner = TASK_UTILS.build(finetuner)

    def before_train(self, runner) -> None:
        """Raise ValueError if the fine-tuner does not fit the model, so that the error comes before training."""
        self.finetuner.check(runner.model.module if is_model_wrapper(runner.model) else runner.model)

    def set_up_segmenter(self, segmenter: Segmenter) -> None:
        """Set the fine-tuner of the segmenter; see ``VOSTestLoop``.

        Raises:
            ValueError: if another hook has set a fine-tuner.
        """
        if segmenter.finetuner is not None:
            raise ValueError('two hooks set a fine-tuner: default_hooks.finetune and an OnlineFinetuneHook in '
                             'custom_hooks. Remove the hook in custom_hooks and change the settings of '
                             'default_hooks.finetune (default_hooks = dict(finetune=dict(finetuner=dict(...)))), or '
                             'switch the default hook off with default_hooks.finetune=None')
        segmenter.finetuner = self.finetuner
