"""With the real DAVIS 2016 only: its files are read as they are, and a clip of it trains one step."""

import os

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from tempseg_mm.datasets.davis import DAVISDataset

pytestmark = pytest.mark.davis


@pytest.fixture
def cfg(davis_root, tmp_path):
    path = os.path.join(os.path.dirname(__file__), '../../configs/tempseg_davis.py')
    cfg = Config.fromfile(path)
    cfg.merge_from_dict({
        'work_dir': str(tmp_path), 'model.width': 0.0625, 'train_dataloader.batch_size': 1,
        'train_dataloader.num_workers': 0,
        'train_dataloader.dataset.size': (96, 171), 'train_dataloader.dataset.sequences': ['bear'],
        'train_cfg.max_iters': 1, 'visualizer.vis_backends': [dict(type='LocalVisBackend')], 'log_level': 'WARNING'})
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        loader.dataset.data_root = davis_root
    return cfg


@pytest.mark.parametrize('split, count', [('train', 30), ('val', 20)])
def test_splits_are_complete(davis_root, split, count):
    if not os.path.isfile(os.path.join(davis_root, f'ImageSets/480p/{split}.txt')):
        pytest.skip(f'no split {split} in this copy')
    data = DAVISDataset(davis_root, split, test_mode=True)
    assert len(data) == count
    assert all(item['sequence'].is_annotated(len(item['sequence']) - 1) for item in data)


def test_an_annotation_with_four_channels(davis_root):
    bear = DAVISDataset(davis_root, 'train', sequences=['bear'], test_mode=True)[0]['sequence']
    before, mask, after = (bear.mask(i) for i in (76, 77, 78))
    assert bear.file_name(77) == '00077' and mask.shape == bear.frame(77).shape[:2] == (480, 854)
    for other in (before, after):
        assert (mask & other).sum() / (mask | other).sum() > 0.9


def test_one_clip_trains_one_step(cfg):
    runner = Runner.from_cfg(cfg)
    before = {}
    runner.model.generator.register_forward_pre_hook(
        lambda module, _: before.update({name: p.detach().clone() for name, p in module.named_parameters()}))
    runner.train()
    batch = runner.train_loop.last_batch
    assert batch.frames.shape == (1, 5, 3, 96, 171) and batch.flow.abs().max() > 0.1 and batch.gt_masks.mean() > 0.01
    changed = [name for name, p in runner.model.generator.named_parameters() if not torch.equal(p, before[name])]
    assert len(changed) == len(before)
