"""Guards what goes into a checkpoint and what comes out of one."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner.checkpoint import get_state_dict, weights_to_cpu

from tempseg_mm.engine.checkpoints import make_plain, rebuild, require_resumable
from tempseg_mm.models.architecture import require_same_architecture
from tempseg_mm.registry import HOOKS


@HOOKS.register_module()
class CheckpointGuardHook(Hook):
    """Saves plain types only, and refuses weights of another architecture before any of them is loaded."""

    priority = 'LOWEST'  # what other hooks put into a checkpoint is made plain too

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        if is_model_wrapper(runner.model):  # mmengine names weights by the wrappers of sub-modules, and loads without
            checkpoint['state_dict'] = weights_to_cpu(get_state_dict(runner.model))
        make_plain(checkpoint)

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        require_same_architecture(checkpoint.get('state_dict', checkpoint), get_state_dict(runner.model))
        if runner.cfg.get('resume'):
            require_resumable(checkpoint)
        if 'message_hub' in checkpoint:
            rebuild(checkpoint['message_hub'])
