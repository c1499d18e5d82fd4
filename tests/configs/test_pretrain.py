"""The configs that pre-train a backbone: no sequences, no adversary, mmengine's own loop."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from tempseg_mm import registry
from tempseg_mm.registry import DATASETS, MODELS
from tempseg_mm.runtime.weight_files import NAMED_DIGITS

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted((ROOT / 'configs/pretrain').glob('*.py'))


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_every_part_exists(path):
    cfg = Config.fromfile(path)
    model = MODELS.build(dict(cfg.model, width=0.0625)).eval()
    assert model(torch.zeros(1, 3, 32, 32)).shape == (1, cfg.num_classes)
    assert cfg.train_cfg.type in registry.LOOPS and cfg.val_evaluator.type in registry.METRICS
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        assert loader.dataset.type in DATASETS
        assert all(step.type in registry.TRANSFORMS for step in loader.dataset.pipeline)
    assert all(hook is None or hook.type in registry.HOOKS for hook in cfg.default_hooks.values())
    assert cfg.param_scheduler[-1].end == cfg.train_cfg.max_epochs


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_the_root_comes_from_the_environment(path, monkeypatch):
    monkeypatch.setenv('TEMPSEG_IMAGENET_ROOT', '/elsewhere')
    cfg = Config.fromfile(path)
    assert cfg.train_dataloader.dataset.data_root == '/elsewhere/train'
    assert cfg.val_dataloader.dataset.data_root == '/elsewhere/val'


def test_the_backbone_of_the_paper_is_what_davis_trains():
    cfg = Config.fromfile(ROOT / 'configs/pretrain/tempseg_imagenet.py')
    davis = Config.fromfile(ROOT / 'configs/tempseg_davis.py')
    assert cfg.model.backbone == davis.model.generator.backbone and cfg.model.width == davis.model.width
    assert cfg.num_classes == cfg.model.num_classes == cfg.train_dataloader.dataset.num_classes == 1000


@pytest.mark.parametrize('name, digits', [('tempseg_davis_mobilenet', '7ebf99e0'), ('tempseg_davis_vgg', '6c64b313')])
def test_published_weights_are_checked_and_may_come_from_elsewhere(name, digits, monkeypatch):
    monkeypatch.delenv('TEMPSEG_IMAGENET_WEIGHTS', raising=False)
    path = ROOT / f'configs/{name}.py'
    generator = Config.fromfile(path).model.generator
    assert NAMED_DIGITS.search(generator.backbone.init_cfg.checkpoint).group(1) == digits
    assert generator.get('width', Config.fromfile(path).model.width) == 1
    monkeypatch.setenv('TEMPSEG_IMAGENET_WEIGHTS', '/elsewhere/net.safetensors')
    assert Config.fromfile(path).model.generator.backbone.init_cfg.checkpoint == '/elsewhere/net.safetensors'
