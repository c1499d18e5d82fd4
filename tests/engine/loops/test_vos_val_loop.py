import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from PIL import Image

from tempseg_mm.engine.loops.vos_val_loop import VOSValLoop
from tempseg_mm.visualization.exporters import write_indexed_png


class Watch(Hook):
    """What a validation calls, and in which mode it leaves the network."""
    priority = 'LOWEST'

    def __init__(self):
        self.stages, self.modes = [], []

    def before_val(self, runner):
        self.stages.append('before_val')

    def after_val_epoch(self, runner, metrics=None):
        self.stages.append((runner.iter, metrics['J_mean']))

    def before_sequence(self, runner, sequence, size):
        pytest.fail('a stage of a test')

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.modes.append(runner.model.training)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.modes.append(runner.model.training)


@pytest.fixture
def validated(tiny_config):
    """A config that validates on the test split every two iterations."""
    cfg = tiny_config(**{'train_cfg.max_iters': 4, 'train_cfg.val_interval': 2, 'default_hooks.checkpoint.interval': 1,
                         'default_hooks.checkpoint.save_best': 'J_mean'})
    cfg.merge_from_dict(dict(
        val_cfg=dict(type='VOSValLoop', num_given_frames=1), val_dataloader=cfg.test_dataloader.to_dict(),
        val_evaluator=dict(type='VOSMetric', measures=('J',))))
    return cfg


def test_validation_between_iterations(validated):
    runner, watch = Runner.from_cfg(validated), Watch()
    runner.register_hook(watch)
    runner.train()
    (first, at_2), (second, at_4) = (stage for stage in watch.stages if stage != 'before_val')
    assert (first, second) == (2, 4) and watch.stages.count('before_val') == 2 and all(watch.modes)
    best = next(Path(runner.work_dir).glob('best_J_mean_iter_*.pth'))
    assert best.name == f'best_J_mean_iter_{4 if at_4 > at_2 else 2}.pth'

    validated.merge_from_dict(dict(load_from=str(best), experiment_name=f'{validated.experiment_name}-again'))
    again = Runner.from_cfg(validated)  # without fine-tuning, a test of the best weights finds the best score
    again.load_or_resume()
    assert again.val_loop.run()['J_mean'] == max(at_2, at_4)


def test_training_draws_the_same_numbers_as_without(validated, on_cpu):
    runner = Runner.from_cfg(validated)

    class Draws(VOSValLoop):
        def run_iter(self, sequence):
            super().run_iter(sequence)
            random.random(), np.random.rand(), torch.rand(1)

    loop = Draws(runner, runner.cfg.val_dataloader, runner.cfg.val_evaluator, num_given_frames=1)
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    loop.run()
    assert before == (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())


def test_several_objects_that_are_scored_as_one_are_told_once_a_training(validated, synthetic_root, tmp_path,
                                                                         monkeypatch):
    shutil.copytree(synthetic_root, tmp_path / 'data')
    for path in (tmp_path / 'data/Annotations/32p/test_001').iterdir():
        mask = (np.asarray(Image.open(path)) > 0).astype(np.uint8)
        write_indexed_png(path, mask * np.where(np.cumsum(mask).reshape(mask.shape) > 20, 2, 1).astype(np.uint8))
    validated.val_dataloader.dataset.data_root = str(tmp_path / 'data')
    said = []
    runner = Runner.from_cfg(validated)
    monkeypatch.setattr(runner.logger, 'warning', lambda text, *args: said.append(str(text)))
    for _ in range(2):
        runner.val_loop.run()
    notice, = [line for line in said if 'hold several objects' in line]
    assert notice.startswith('1 of 2 sequence(s) hold several objects (test_001: 1, 2); as in DAVIS 2016')
