"""Has the segmenter fine-tune on the given frames."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from tempseg_mm.inference.segmenter import Segmenter
from tempseg_mm.registry import HOOKS, TASK_UTILS


@HOOKS.register_module()
class OnlineFinetuneHook(Hook):
    """Each object of a sequence gets a copy of the generator, adapted to it.

    Args:
        finetuner: config of an ``OnlineFinetuner``.
    """

    priority = 'HIGH'

    def __init__(self, finetuner: dict) -> None:
        self.finetuner = TASK_UTILS.build(finetuner)

    def before_train(self, runner) -> None:
        """Raise ValueError where the fine-tuner does not fit the model: no training should end before that shows."""
        self.finetuner.check(runner.model.module if is_model_wrapper(runner.model) else runner.model)

    def set_up_segmenter(self, segmenter: Segmenter) -> None:
        """See ``VOSTestLoop``.

        Raises:
            ValueError: if another hook has set a fine-tuner before.
        """
        if segmenter.finetuner is not None:
            raise ValueError('two hooks want to fine-tune: online fine-tuning is default_hooks.finetune, and '
                             'custom_hooks has another OnlineFinetuneHook. Change the settings of the former '
                             '(default_hooks = dict(finetune=dict(finetuner=dict(...)))) and remove the latter, or '
                             'switch the former off by default_hooks.finetune=None')
        segmenter.finetuner = self.finetuner
