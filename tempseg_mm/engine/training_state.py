"""What a checkpoint needs beside weights, optimisers and schedules for training to continue bit for bit, and a log that
does not grow with the run. Called by ``AtomicCheckpointHook``; plain types only."""

from collections.abc import Mapping
from logging import Logger

from mmengine.logging import HistoryBuffer
from mmengine.optim import OptimWrapperDict
from mmengine.runner import LogProcessor

from tempseg_mm.engine.loops.gan_train_loop import GANTrainLoop
from tempseg_mm.runtime.differences import ResumeError
from tempseg_mm.runtime.random_state import get_random_state, set_random_state


def training_state(loop: GANTrainLoop) -> dict:
    """Random streams of this process, position in the data, counts, gradients that wait for more (accumulation), and
    the time spent by a training by the clock."""
    return dict(random=get_random_state(), data=loop.dataloader.state_dict(), steps=loop.steps.state_dict(),
                gradients=_gradients(loop.runner.optim_wrapper), clock=loop.clock and loop.clock.state_dict())


def resume(loop: GANTrainLoop, state: dict | None, logger: Logger) -> None:
    """Go on with this state, or, where the checkpoint holds none, at the right place in the data at least.

    Before the first batch, as the last thing that touches random streams.

    Raises:
        ResumeError: if training goes by the clock and the checkpoint does not tell the minutes that it has had.
    """
    if loop.clock is not None:
        if not (state or {}).get('clock'):
            raise ResumeError('the checkpoint does not tell how many of the train_cfg.max_minutes it has had: start '
                              'again from its weights, with --cfg-options load_from=<file> instead of --resume')
        loop.clock.load_state_dict(state['clock'], loop.iter)
        logger.info(f'{loop.clock.minutes:.1f} of {loop.clock.max_minutes:g} minutes are over'
                    + (': nothing is left to do' if loop.max_iters == loop.iter else ''))
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


class BoundedLog:
    """Keeps of every scalar of the log what the largest window of the ``log_processor`` needs.

    mmengine keeps a million values of each, copies all of them for every new one, and writes them into every
    checkpoint. The curves are in the files of the visualizer. Where the config asks for a window over the whole run
    (``window_size='global'``), the scalar it names is kept whole.

    Args:
        processor: of the Runner.
    """

    def __init__(self, processor: LogProcessor) -> None:
        wanted = [(cfg['data_src'], cfg.get('window_size', 1)) for cfg in processor.custom_cfg]
        self.window = max([processor.window_size, *(size for _, size in wanted if isinstance(size, int))])
        self.whole = {f'train/{name}'.replace('train/train/', 'train/') for name, size in wanted
                      if not isinstance(size, int)}

    def shorten(self, log_scalars: Mapping[str, HistoryBuffer]) -> None:
        """Have the scalars that there are keep no more than that from their next value on."""
        for name, buffer in log_scalars.items():
            if name not in self.whole:
                buffer.max_length = self.window
