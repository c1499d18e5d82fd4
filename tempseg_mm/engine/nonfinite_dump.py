"""All that an iteration needs to go wrong again, in one file of plain types. Written by ``GANTrainLoop``;
docs/reliability.md shows how to load one."""

import os.path as osp
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.dist import get_rank
from mmengine.runner import IterBasedTrainLoop, Runner
from mmengine.runner.checkpoint import get_state_dict, weights_to_cpu
from torch import Tensor

from tempseg_mm.engine.finite_steps import NotFiniteError
from tempseg_mm.runtime.atomic import written_beside
from tempseg_mm.runtime.random_state import set_random_state
from tempseg_mm.structures import VOSDataSample

FIELDS = ('gt_masks', 'reference_masks', 'first_reference', 'flow')
LAYOUT = 2  # of the samples; those of dumps without this number had each reference mask one place later


@contextmanager
def dumped_if_not_finite(loop: IterBasedTrainLoop, data_batch: dict) -> Iterator[None]:
    """A :class:`NotFiniteError` inside leaves ``<work_dir>/nonfinite_iter_<n>/rank_<r>.pth`` and is raised again.

    The file holds the weights and optimisers from before the half-step that went wrong, the batch, and the random
    state from before its prediction. Gradients gathered by accumulation are not in it.
    """
    try:
        yield
    except NotFiniteError as error:
        path = osp.join(loop.runner.work_dir, f'nonfinite_iter_{loop.iter + 1}', f'rank_{get_rank()}.pth')
        with written_beside(path) as beside:
            torch.save(_contents(loop, data_batch, error), beside)
        raise NotFiniteError(f'{error} Dumped to {osp.abspath(path)}; docs/reliability.md says how to repeat it.',
                             error.part) from error


def _contents(loop: IterBasedTrainLoop, data_batch: dict, error: NotFiniteError) -> dict:
    return dict(
        layout=LAYOUT, message=str(error), part=error.part, iter=loop.iter, random=loop.random_state,
        state_dict=weights_to_cpu(get_state_dict(loop.runner.model)), optimizer=loop.runner.optim_wrapper.state_dict(),
        inputs=[clip.cpu() for clip in data_batch['inputs']],
        samples=[{'sequence': sample.sequence, 'frame_ids': list(sample.get('frame_ids', ())),
                  **{name: getattr(sample, name).cpu() for name in FIELDS if name in sample}}
                 for sample in data_batch['data_samples']])


def load_dump(runner: Runner, path: str) -> dict:
    """Put a Runner made from the config of the run into the state of a dump.

    Args:
        runner: not trained; its train loop and optimisers are built.
        path: of the dump.

    Returns:
        The data batch: ``runner.train_loop.alternate`` of it raises what stopped the run. Where that was a half-step
        of G, those of D, which were done, are left out.

    Raises:
        ValueError: if an earlier version, which kept reference masks differently, wrote the dump.
    """
    dump = torch.load(path, map_location='cpu', weights_only=True)
    if dump.get('layout') != LAYOUT:
        raise ValueError(f'{path} was written by a version that kept reference masks differently: load it with that '
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
