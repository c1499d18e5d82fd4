"""Stores what an exact resume of training needs beside weights, optimisers and schedules; bounds the size of the log.

``AtomicCheckpointHook`` uses it. The state consists of plain types only.
"""

from collections.abc import Mapping
from logging import Logger

from mmengine.logging import HistoryBuffer
from mmengine.optim import OptimWrapperDict
from mmengine.runner import LogProcessor

from tempseg_mm.engine.loops.gan_train_loop import GANTrainLoop
from tempseg_mm.runtime.differences import ResumeError
from tempseg_mm.runtime.random_state import get_random_state, set_random_state


def training_state(loop: GANTrainLoop) -> dict:
    """Return the state that an exact resume needs.

    It holds the random streams of this process, the position in the data, the counts of skipped steps, gradients that
    are being accumulated, and the time spent if training goes by the clock.
    """
    return dict(random=get_random_state(), data=loop.dataloader.state_dict(), steps=loop.steps.state_dict(),
                gradients=_gradients(loop.runner.optim_wrapper), clock=loop.clock and loop.clock.state_dict())


def resume(loop: GANTrainLoop, state: dict | None, logger: Logger) -> None:
    """Restore the training state. If the checkpoint has none, only the position in the data is restored.

    Call it before the first batch, after everything else that uses random streams.

    Raises:
        ResumeError: if training goes by the clock and the checkpoint does not state the minutes spent.
    """
    if loop.clock is not None:
        if not (state or {}).get('clock'):
            raise ResumeError('the checkpoint does not state how many of the train_cfg.max_minutes are spent. Start '
                              'again from its weights with --cfg-options load_from=<file> instead of --resume')
        loop.clock.load_state_dict(state['clock'], loop.iter)
        logger.info(f'{loop.clock.minutes:.1f} of {loop.clock.max_minutes:g} minutes are over'
                    + (': nothing is left to do' if loop.max_iters == loop.iter else ''))
    if state is None:
        loop.dataloader.go_on_at(loop.iter * loop.dataloader.clips_per_batch)
        logger.warning('the checkpoint has no training_state: training resumes at the right position in the data, but '
                       'its random draws differ from those of an uninterrupted run')
        return
    restore(loop, state)
    if state['gradients']:
        logger.info('gradients accumulated before the checkpoint are restored: a warning above that they were lost '
                    'does not apply')


def restore(loop: GANTrainLoop, state: dict) -> None:
    """Restore the state from :func:`training_state`."""
    loop.dataloader.load_state_dict(state['data'])
    loop.steps.load_state_dict(state['steps'])
    for name, gradients in state['gradients'].items():
        for parameter, gradient in zip(_parameters(loop.runner.optim_wrapper[name]), gradients, strict=True):
            parameter.grad = None if gradient is None else gradient.to(parameter.device)
    set_random_state(state['random'])


def _parameters(optim) -> list:
    return [parameter for group in optim.optimizer.param_groups for parameter in group['params']]


def _gradients(optims: OptimWrapperDict) -> dict:
    """Return, per optimiser with gradients, the gradient or ``None`` of each of its parameters, in order."""
    gradients = {name: [None if p.grad is None else p.grad.cpu() for p in _parameters(optim)]
                 for name, optim in optims.items()}
    return {name: found for name, found in gradients.items() if any(gradient is not None for gradient in found)}


class BoundedLog:
    """Limits the stored values of each scalar of the log to what the largest window of the ``log_processor`` needs.

    mmengine stores a million values of each, copies all of them for every new one, and writes them into every
    checkpoint. The full curves are in the files of the visualizer. A scalar that the config averages over the whole run
    (``window_size='global'``) is stored completely.

    Args:
        processor: log processor of the Runner.
    """

    def __init__(self, processor: LogProcessor) -> None:
        wanted = [(cfg['data_src'], cfg.get('window_size', 1)) for cfg in processor.custom_cfg]
        self.window = max([processor.window_size, *(size for _, size in wanted if isinstance(size, int))])
        self.whole = {f'train/{name}'.replace('train/train/', 'train/') for name, size in wanted
                      if not isinstance(size, int)}

    def shorten(self, log_scalars: Mapping[str, HistoryBuffer]) -> None:
        """Limit the existing scalars; it takes effect with the next value of each."""
        for name, buffer in log_scalars.items():
            if name not in self.whole:
                buffer.max_length = self.window
