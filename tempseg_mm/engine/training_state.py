"""What a checkpoint needs beside weights, optimisers, schedules and log for training to go on bit for bit. Used by
``AtomicCheckpointHook``; plain types only."""

from logging import Logger

from mmengine.optim import OptimWrapperDict

from tempseg_mm.engine.loops.gan_train_loop import GANTrainLoop
from tempseg_mm.runtime.random_state import get_random_state, set_random_state


def training_state(loop: GANTrainLoop) -> dict:
    """Random streams of this process, position in the data, counts, and gradients that wait for more (accumulation)."""
    return dict(random=get_random_state(), data=loop.dataloader.state_dict(), steps=loop.steps.state_dict(),
                gradients=_gradients(loop.runner.optim_wrapper))


def resume(loop: GANTrainLoop, state: dict | None, logger: Logger) -> None:
    """Go on with this state, or, where the checkpoint holds none, at the right place in the data at least.

    Before the first batch, as the last thing that touches random streams.
    """
    if state is None:
        loop.dataloader.go_on_at(loop.iter * loop.dataloader.clips_per_batch)
        logger.warning('the checkpoint has no training_state: it goes on at the right place in the data, but with '
                       'other random draws than an uninterrupted run')
        return
    restore(loop, state)
    if state['gradients']:
        logger.info('gradients gathered before the checkpoint are back: a warning above, that they were lost, does not '
                    'apply')


def restore(loop: GANTrainLoop, state: dict) -> None:
    """Undo :func:`training_state`."""
    loop.dataloader.load_state_dict(state['data'])
    loop.steps.load_state_dict(state['steps'])
    for name, gradients in state['gradients'].items():
        for parameter, gradient in zip(_parameters(loop.runner.optim_wrapper[name]), gradients, strict=True):
            parameter.grad = None if gradient is None else gradient.to(parameter.device)
    set_random_state(state['random'])


def _parameters(optim) -> list:
    return [parameter for group in optim.optimizer.param_groups for parameter in group['params']]


def _gradients(optims: OptimWrapperDict) -> dict:
    """Optimiser -> gradient or ``None`` of each of its parameters, in order; only of those that have gradients."""
    gradients = {name: [None if p.grad is None else p.grad.cpu() for p in _parameters(optim)]
                 for name, optim in optims.items()}
    return {name: found for name, found in gradients.items() if any(gradient is not None for gradient in found)}
