"""Guards what goes into a checkpoint and what comes out of one."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from tempseg_mm.engine.checkpoints import make_plain, rebuild, require_same_architecture
from tempseg_mm.registry import HOOKS


@HOOKS.register_module()
class CheckpointGuardHook(Hook):
    """Saves plain types only, and refuses weights of another architecture before any of them is loaded."""

    priority = 'VERY_HIGH'

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        make_plain(checkpoint['message_hub'])

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        require_same_architecture(checkpoint.get('state_dict', checkpoint), model.state_dict())
        if 'message_hub' in checkpoint:
            rebuild(checkpoint['message_hub'])
