"""What tests/runtime/test_processes.py runs, in one process and, by torchrun, in two.

    torchrun --nproc-per-node 2 tests/two_processes.py CONFIG OUT

writes ``OUT/rank<k>.pth`` and the results of a test to ``OUT/test``. At last, rank 1 dies in the middle of a test that
writes to ``OUT/dead``, which ends the launch: one launch serves all tests.
"""

import os
import sys
import time
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from eager_adaptation import adapting
from mmengine.config import Config
from mmengine.dist import get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.nn.modules.batchnorm import _BatchNorm

from tempseg_mm.apis.config import join_processes, use_device
from tempseg_mm.apis.testing import run_test
from tempseg_mm.engine.hooks import baseline_hook
from tempseg_mm.evaluation.vos_metric import VOSMetric
from tempseg_mm.registry import HOOKS
from tempseg_mm.structures import SegmentedFrame

NAMES = dict(generator='generator', adversary='adversary')


@HOOKS.register_module(force=True)
class MedianHook(Hook):
    """Cuts masks at the median: those of a hardly trained network are empty; may die within a sequence."""

    def __init__(self, die_in=None):
        self.die_in = die_in

    def refine_masks(self, segmenter, stream):
        for frame in stream:
            if not frame.given:
                frame.probabilities = (frame.probabilities > np.median(frame.probabilities)).astype(np.float32)
            yield frame

    def after_frame(self, runner, frame):
        if frame.sequence == self.die_in and frame.frame_id == 2:
            Path(runner.work_dir, 'died').write_text(str(time.time()))
            os._exit(1)


class Gradients(Hook):
    """The gradient of every step that an optimiser takes, with batch normalisation held still; what was seen."""

    def __init__(self, still):
        self.still, self.found, self.seen = still, {}, []

    def before_train(self, runner):
        for name, wrapper in runner.optim_wrapper.items():
            wrapper.optimizer.register_step_pre_hook(lambda *_, name=name: self._keep(name, runner))

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        for module in runner.model.modules():
            if self.still and isinstance(module, _BatchNorm):
                module.eval()

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        batch = runner.train_loop.last_batch
        clips = [(sample.sequence, *sample.frame_ids) for sample in data_batch['data_samples']]
        self.seen.append((clips, tuple(batch.flow.shape)))

    def _keep(self, name, runner):
        parameters = getattr(runner.train_loop.model, name).parameters()
        self.found.setdefault(name, []).append(torch.cat([p.grad.flatten() for p in parameters]).clone())


def weights(runner) -> torch.Tensor:
    """All parameters, one after the other."""
    return torch.cat([p.detach().flatten() for p in runner.model.parameters()])


def small(config: Config, work_dir: Path, **options) -> Config:
    """The config for one of the runs below, with as many clips a batch in all however many processes there are."""
    cfg = Config(config.to_dict())
    cfg.merge_from_dict(options)
    cfg.work_dir, cfg.experiment_name = str(work_dir), f'{work_dir.name}-{os.getpid()}-{work_dir.parent.name}'
    cfg.train_dataloader.batch_size = 2 // get_world_size()
    return cfg


def accumulate(config: Config, out: Path) -> dict:
    """Four iterations of two clips, two for each step; without what depends on the batch or draws differently."""
    cfg = small(config, out / 'accumulate', **{
        'train_cfg.max_iters': 4, 'model.generator.backbone.dropout': 0.0, 'model.generator.decoder.dropout': 0.0})
    for name in NAMES:
        cfg.optim_wrapper[name] = dict(
            type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01), accumulative_counts=2)
    cfg.param_scheduler = None
    runner, gradients = Runner.from_cfg(cfg), Gradients(still=True)
    runner.register_hook(gradients)
    runner.train()
    return dict(gradients=gradients.found, seen=gradients.seen, weights=weights(runner))


def train(config: Config, out: Path) -> dict:
    """Three iterations as configured; leaves a checkpoint."""
    runner = Runner.from_cfg(small(config, out / 'train', **{'train_cfg.max_iters': 3}))
    gradients = Gradients(still=False)
    runner.register_hook(gradients)
    runner.train()
    return dict(weights=weights(runner), seen=gradients.seen)


def test(config: Config, out: Path, checkpoint: str, **median) -> dict:
    """All sequences, adapted on the way, with the baselines."""
    cfg = small(config, out / 'test', **{'load_from': checkpoint, 'test_cfg.out_dir': str(out / 'test')})
    cfg.custom_hooks = [adapting(), dict(type='MedianHook', **median), dict(type='BaselineHook')]
    tables = []
    with mock.patch.object(baseline_hook, 'comparison_table', lambda rows: tables.append(rows) or ''):
        runner = run_test(cfg)
    tables = [repr(list(rows.values())) for rows in tables]
    walked = [runner.test_dataloader.dataset[i]['sequence'].name for i in runner.test_dataloader.sampler]
    return dict(tables=tables, walked=walked)


def score_on_one_process_only() -> dict:
    """What every process gets where only the last one has found anything."""
    metric = VOSMetric(measures=('J',))
    if get_rank() == get_world_size() - 1:
        mask = np.eye(4, dtype=np.uint8)
        metric.process(None, [SegmentedFrame('a', 1, '1', np.zeros((4, 4, 3), np.uint8), num_frames=3, labels=mask,
                                             gt_labels=mask)])
    return metric.evaluate(1)


def main(config: str, out: str) -> None:
    import mmengine.runner.runner as mmengine_runner
    mmengine_runner.collect_env = dict  # seconds, to log what compiler there is
    torch.set_num_threads(1)
    use_device('cpu')
    join_processes('pytorch', timeout=60)
    cfg, out = Config.fromfile(config), Path(out)
    cfg.launcher = 'pytorch'
    found = dict(rank=get_rank(), accumulate=accumulate(cfg, out), train=train(cfg, out))
    found['test'] = test(cfg, out, str(out / 'train/iter_3.pth'))
    found['scores'] = score_on_one_process_only()
    torch.save(found, out / f'rank{get_rank()}.pth')
    test(cfg, out / 'dead', None, die_in='test_001')


if __name__ == '__main__':
    main(*sys.argv[1:])
