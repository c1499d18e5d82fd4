"""Puts into every checkpoint what an exact resume needs, and takes it out again."""

from mmengine.hooks import Hook

from tempseg_mm.engine.loops.gan_train_loop import GANTrainLoop
from tempseg_mm.engine.training_state import restore, training_state
from tempseg_mm.registry import HOOKS


@HOOKS.register_module()
class TrainingStateHook(Hook):
    """Random streams, position in the data, counts, gathered gradients: ``training_state`` of a checkpoint."""

    priority = 'LOWEST'  # random draws of other hooks before training come first

    def __init__(self) -> None:
        self._state: dict | None = None

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        if isinstance(runner.train_loop, GANTrainLoop):
            checkpoint['training_state'] = training_state(runner.train_loop)

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        self._state = checkpoint.pop('training_state', None)

    def before_train_epoch(self, runner) -> None:
        state, self._state = self._state, None
        loop = runner.train_loop
        if not isinstance(loop, GANTrainLoop) or loop.iter == 0:  # another's weights are a start, no resume
            return
        if state is None:
            loop.dataloader.go_on_at(loop.iter * loop.dataloader.clips_per_batch)
            runner.logger.warning('the checkpoint has no training_state: it goes on at the right place in the data, '
                                  'but with other random draws than an uninterrupted run')
            return
        restore(loop, state)
        if state['gradients']:
            runner.logger.info('gradients gathered before the checkpoint are back: a warning above, that they were '
                               'lost, does not apply')
