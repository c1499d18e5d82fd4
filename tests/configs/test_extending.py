"""A component from outside the package, and a component swapped: a file and a few lines of config, no edit in here."""

import sys
from pathlib import Path

import pytest
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tempseg_mm.models.decoders import UpsampleDecoder
from tempseg_mm.registry import MODELS

BASE = Path(__file__).resolve().parents[2] / 'configs/tempseg_synthetic.py'

LOSS = '''
from tempseg_mm.models.losses.base import GeneratorLoss
from tempseg_mm.registry import MODELS


@MODELS.register_module()
class OutsideAreaLoss(GeneratorLoss):
    """Difference of the areas."""

    def forward(self, prediction, batch):
        areas = prediction.masks.mean((-1, -2)), batch.gt_masks.mean((-1, -2))
        return self.loss_weight * (areas[0] - areas[1]).abs().mean()
'''


class Terms(Hook):

    def __init__(self):
        self.outputs = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.outputs.append(outputs)


def child(tmp_path, text):
    path = tmp_path / 'child.py'
    path.write_text(f'_base_ = {str(BASE)!r}\n{text}')
    assert len(path.read_text().splitlines()) < 10
    return path


@pytest.fixture
def outside(tmp_path, monkeypatch):
    (tmp_path / 'outside_area_loss.py').write_text(LOSS)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop('outside_area_loss', None)
    MODELS.module_dict.pop('OutsideAreaLoss', None)


def test_a_loss_from_outside_trains(outside, tiny_config, tmp_path):
    path = child(tmp_path, "custom_imports = dict(imports=['outside_area_loss'])\n"
                           "model = dict(losses=dict(area=dict(type='OutsideAreaLoss', loss_weight=0.5)))\n")
    runner, terms = Runner.from_cfg(tiny_config(path, **{'train_cfg.max_iters': 2})), Terms()
    runner.register_hook(terms)
    runner.train()
    assert [0 < output['loss_area'] < 0.5 for output in terms.outputs] == [True, True]
    loss = runner.model.losses['area']
    last = runner.train_loop
    assert terms.outputs[-1]['loss_area'] == pytest.approx(loss(last.last_prediction, last.last_batch).item())


def test_without_the_import_the_message_names_it(tiny_config, tmp_path):
    path = child(tmp_path, "model = dict(losses=dict(area=dict(type='OutsideAreaLoss')))\n")
    with pytest.raises(KeyError, match="'OutsideAreaLoss' is not a registered model.*custom_imports"):
        Runner.from_cfg(tiny_config(path))


def test_a_swapped_decoder_trains_and_segments(tiny_config, tmp_path):
    path = child(tmp_path, "model = dict(generator=dict(decoder=dict(_delete_=True, type='UpsampleDecoder')))\n")
    runner = Runner.from_cfg(tiny_config(path, **{
        'train_cfg.max_iters': 1, 'test_dataloader.dataset.sequences': ['test_000']}))
    assert isinstance(runner.model.generator.decoder, UpsampleDecoder)
    runner.train()
    assert 0 <= runner.test()['J_mean'] <= 1


def test_a_loss_removed_by_a_config(tiny_config, tmp_path):
    path = child(tmp_path, "model = dict(losses=dict(_delete_=True, l1=dict(type='L1Loss')))\n")
    runner, terms = Runner.from_cfg(tiny_config(path, **{'train_cfg.max_iters': 1})), Terms()
    runner.register_hook(terms)
    runner.train()
    assert {name for name in terms.outputs[0] if name.startswith('loss') and '_d' not in name} == {'loss_l1', 'loss_g'}
