"""Switches on online adaptation: fine-tuning that continues while masks are carried on."""

from mmengine.hooks import Hook

from tempseg_mm.inference.segmenter import Segmenter
from tempseg_mm.registry import HOOKS, TASK_UTILS


@HOOKS.register_module()
class OnlineAdaptationHook(Hook):
    """Lets each object's generator learn from its own sure masks on the way.

    Args:
        adaptation: config of an ``OnlineAdaptation``; default: its own defaults.
    """

    def __init__(self, adaptation: dict | None = None) -> None:
        self.adaptation = TASK_UTILS.build(adaptation or dict(type='OnlineAdaptation'))

    def set_up_segmenter(self, segmenter: Segmenter) -> None:
        """Set the adaptation of the segmenter; see ``VOSTestLoop``."""
        segmenter.adaptation = self.adaptation
