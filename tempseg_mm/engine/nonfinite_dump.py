"""Dumps a failed iteration of ``GANTrainLoop`` to a file of plain types, to repeat it; see docs/reliability.md."""

import os.path as osp
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from mmengine.dist import get_rank
from mmengine.runner import Runner
from mmengine.runner.checkpoint import get_state_dict, weights_to_cpu
from torch import Tensor

from tempseg_mm.engine.finite_steps import Iteration, NotFiniteError
from tempseg_mm.runtime.atomic import written_beside
from tempseg_mm.runtime.random_state import set_random_state
from tempseg_mm.structures import VOSDataSample

FIELDS = ('gt_masks', 'reference_masks', 'first_reference', 'flow', 'void')
LAYOUT = 2  # version of the samples; in dumps without this number each reference mask was one place later


@dataclass
class QueuedIteration:
    """What it takes to repeat an iteration whose half-steps are queued, and perhaps not read yet.

    Attributes:
        index: number of iterations before it.
        data_batch: what the data loader gave.
        steps: what ``FiniteSteps`` knows of it.
        random_state: random state from before its last prediction.
    """
    index: int
    data_batch: dict
    steps: Iteration
    random_state: dict = field(default_factory=dict)


@contextmanager
def dumped_if_not_finite(runner: Runner, queued: Sequence[QueuedIteration]) -> Iterator[None]:
    """Dump the iteration of a :class:`NotFiniteError` that is raised inside, then raise the error again.

    The file ``<work_dir>/nonfinite_iter_<n>/rank_<r>.pth`` holds the weights and optimisers from before the half-step
    that failed, the batch, and the random state from before its prediction, but no accumulated gradients. Running
    statistics of normalisation are those of the time of the error.

    Args:
        runner: the Runner that trains.
        queued: the iterations that are not settled, the current one included.
    """
    try:
        yield
    except NotFiniteError as error:
        failed = next(one for one in queued if one.steps is error.iteration)
        path = osp.join(runner.work_dir, f'nonfinite_iter_{failed.index + 1}', f'rank_{get_rank()}.pth')
        with written_beside(path) as beside:
            torch.save(_contents(runner, failed, error), beside)
        raise NotFiniteError(f'{error} Dumped to {osp.abspath(path)}; docs/reliability.md shows how to repeat it.',
                             error.part, error.iteration) from error


def _contents(runner: Runner, failed: QueuedIteration, error: NotFiniteError) -> dict:
    return dict(
        layout=LAYOUT, message=str(error), part=error.part, iter=failed.index, random=failed.random_state,
        state_dict=weights_to_cpu(get_state_dict(runner.model)), optimizer=runner.optim_wrapper.state_dict(),
        inputs=[clip.cpu() for clip in failed.data_batch['inputs']],
        samples=[{'sequence': sample.sequence, 'frame_ids': list(sample.get('frame_ids', ())),
                  **{name: getattr(sample, name).cpu() for name in FIELDS if name in sample}}
                 for sample in failed.data_batch['data_samples']])


def load_dump(runner: Runner, path: str) -> dict:
    """Restore the state of a dump in a Runner that was made from the config of the run.

    Args:
        runner: a Runner that has not trained; its train loop and optimisers are built here.
        path: path of the dump.

    Returns:
        The data batch. Passing it to ``runner.train_loop.alternate`` raises the error that stopped the run. If the
        error was in a half-step of G, the half-steps of D, which had succeeded, are left out.

    Raises:
        ValueError: if an earlier version, which stored reference masks differently, wrote the dump.
    """
    dump = torch.load(path, map_location='cpu', weights_only=True)
    if dump.get('layout') != LAYOUT:
        raise ValueError(f'{path} was written by a version that stored reference masks differently. Load it with that '
                         'version')
    loop = runner.train_loop
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    loop.model.load_state_dict(dump['state_dict'])
    runner.optim_wrapper.load_state_dict(dump['optimizer'])
    loop._iter = dump['iter']
    if dump['part'] == 'generator':
        loop.discriminator_steps = 0
    runner.model.train()
    set_random_state(dump['random'])
    return dict(inputs=dump['inputs'], data_samples=[_sample(**sample) for sample in dump['samples']])


def _sample(sequence: str, frame_ids: list, **fields: Tensor) -> VOSDataSample:
    sample = VOSDataSample(metainfo=dict(sequence=sequence, frame_ids=frame_ids))
    for name, value in fields.items():
        setattr(sample, name, value)
    return sample
