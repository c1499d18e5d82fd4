"""Guards what goes into a checkpoint and what comes out of one."""

import os

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner.checkpoint import get_state_dict, weights_to_cpu

from tempseg_mm.engine.checkpoints import complete_generator, make_plain, rebuild, require_resumable
from tempseg_mm.models.generator_weights import require_same_architecture, told_by
from tempseg_mm.registry import HOOKS


@HOOKS.register_module()
class CheckpointGuardHook(Hook):
    """Saves plain types only, and refuses weights of another architecture before any of them is loaded.

    A file may hold the generator alone, as ``save_generator`` writes it: a test needs no more, and in a training the
    adversary then starts afresh.
    """

    priority = 'LOWEST'  # what other hooks put into a checkpoint is made plain too

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        if is_model_wrapper(runner.model):  # mmengine names weights by the wrappers of sub-modules, and loads without
            checkpoint['state_dict'] = weights_to_cpu(get_state_dict(runner.model))
        make_plain(checkpoint)

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        weights, own = checkpoint.get('state_dict', checkpoint), get_state_dict(runner.model)
        generator_alone = complete_generator(weights, own)
        told = _told(runner.cfg.get('load_from'))
        try:
            require_same_architecture(weights, own)
        except ValueError as error:
            raise ValueError(f'{error}{told}') from error
        if runner.cfg.get('resume'):
            require_resumable(checkpoint)
        if generator_alone:
            runner.logger.info(f'{runner.cfg.get("load_from")} holds the generator alone; the adversary has not been '
                               f'trained.{told}')
        if 'message_hub' in checkpoint:
            rebuild(checkpoint['message_hub'])


def _told(load_from: str | None) -> str:
    return told_by(load_from) if load_from and os.path.isfile(load_from) else ''
