"""The configs that come with the project: all of their parts exist, and the paper's numbers are the paper's."""

from pathlib import Path

import pytest
import torch
from mmengine import registry as root
from mmengine.config import Config
from mmengine.runner import Runner

from tempseg_mm import registry
from tempseg_mm.apis.config import load_config
from tempseg_mm.apis.testing import switch_on
from tempseg_mm.engine.optim.gan_constructor import GANOptimWrapperConstructor
from tempseg_mm.registry import MODELS

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted(path for path in (ROOT / 'configs').rglob('*.py') if not {'_base_', 'pretrain'} & {*path.parts})
REGISTRIES = [part for module in (registry, root) for part in vars(module).values() if isinstance(part, root.Registry)]


def types(part):
    """Every ``type`` and the like in a config."""
    if isinstance(part, dict):
        yield from (part[key] for key in ('type', 'constructor') if isinstance(part.get(key), str))
        part = list(part.values())
    if isinstance(part, (list, tuple)):
        for item in part:
            yield from types(item)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_every_part_exists(path):
    names = set(types(Config.fromfile(path).to_dict()))
    assert len(names) > 30
    assert [name for name in sorted(names) if not any(name in known for known in REGISTRIES)] == []


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_the_model_builds_and_predicts(path):
    cfg = Config.fromfile(path)
    cfg.model.width = 0.0625
    model = MODELS.build(cfg.model).eval()
    assert model.predict(torch.zeros(1, 3, 32, 48), torch.zeros(1, 1, 32, 48)).shape == (1, 1, 32, 48)
    assert model.data_preprocessor.flow is not None
    wrappers = {name: wrapper for name, wrapper in cfg.optim_wrapper.items() if name != 'constructor'}
    assert set(GANOptimWrapperConstructor(wrappers)(model).keys()) == set(wrappers)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_the_schedule_ends_with_the_training(path):
    cfg = Config.fromfile(path)
    assert {scheduler.end for scheduler in cfg.param_scheduler.generator} == {cfg.train_cfg.max_iters}


OF_OTHER_DATA = ('davis2017', 'mose', 'segtrack_v2', 'youtube_objects', 'youtube_vos')  # test_released_trees.py


@pytest.mark.parametrize('path', [path for path in CONFIGS if not path.stem.endswith(OF_OTHER_DATA)],
                         ids=lambda path: path.stem)
def test_two_iterations_and_a_test_sequence(path, tiny_config):
    cfg = tiny_config(path, **{
        'train_cfg.max_iters': 2, 'param_scheduler.generator.0.end': 2, 'model.generator.width': 0.0625,
        'model.generator.backbone.init_cfg': None})
    cfg.train_cfg.pop('max_minutes', None)  # by iterations, whatever the machine
    if 'crf' in cfg.default_hooks:
        cfg.default_hooks.crf.workers = 0
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.iter == 2
    assert all(torch.isfinite(weight).all() for weight in runner.model.parameters())
    cfg.test_dataloader.dataset.sequences = ['test_000']
    cfg.experiment_name += '-test'
    metrics = Runner.from_cfg(cfg).test()
    assert 0 <= metrics['J_mean'] <= 1 and 0 <= metrics['F_mean'] <= 1


@pytest.mark.parametrize('name', ['davis', 'synthetic'])
def test_plus_plus_is_the_base_with_both_flags(name):
    base, plus = (load_config(str(ROOT / f'configs/tempseg_{part}{name}.py')) for part in ('', 'pp_'))
    for key, hook in (('tta', dict(type='TTAHook')), ('crf', dict(type='CRFHook', crf=base.crf))):
        switch_on(base, key, hook)
    assert plus.default_hooks == base.default_hooks and plus.model == base.model
    assert plus.test_dataloader == base.test_dataloader and plus.checkpoint == f'work_dirs/tempseg_{name}'


@pytest.fixture
def davis():
    return Config.fromfile(ROOT / 'configs/tempseg_davis.py')


def test_rates_of_the_paper(davis):
    generator, adversary = davis.optim_wrapper.generator.optimizer, davis.optim_wrapper.adversary.optimizer
    assert (generator.type, generator.lr) == ('Adam', 0.002)
    assert (adversary.type, adversary.lr) == ('Adam', 0.01)
    fall, = davis.param_scheduler.generator
    assert fall.type == 'LinearLR' and not fall.by_epoch
    assert (generator.lr * fall.start_factor, generator.lr * fall.end_factor) == pytest.approx((0.002, 0.0004))
    assert davis.param_scheduler.adversary == []
    assert (davis.train_cfg.discriminator_steps, davis.train_cfg.generator_steps) == (1, 1)


def test_weights_of_the_combined_loss(davis):
    weights = {name: (loss.type, loss.loss_weight) for name, loss in davis.model.losses.items()}
    assert weights == dict(
        bce=('BCELoss', 0.1), adv=('AdversarialLoss', 0.1), l1=('L1Loss', 0.25), itsd=('ITSDLoss', 0.25),
        iftl=('IFTLoss', 0.25), l_iftl=('LongRangeIFTLoss', 0.25))
    assert davis.model.losses.itsd.patch_size == 4


def test_mini_batches_of_50_frames(davis):
    loader = davis.train_dataloader
    accumulated = davis.optim_wrapper.generator.get('accumulative_counts', 1)
    assert loader.batch_size * loader.dataset.clip_sampler.clip_length * accumulated == 50


def test_data_and_protocol(davis):
    train, test = davis.train_dataloader.dataset, davis.test_dataloader.dataset
    assert (train.type, train.split, train.get('test_mode')) == ('DAVISDataset', 'train', None)
    assert (test.type, test.split, test.test_mode) == ('DAVISDataset', 'val', True)
    assert davis.test_cfg.num_given_frames == 2


def test_full_width_and_separate_encoders(davis):
    assert davis.model.width == 1
    assert not davis.model.adversary.share_weights and not davis.model.adversary.condition_on_target


def test_the_root_of_davis_comes_from_the_environment(monkeypatch):
    path = ROOT / 'configs/tempseg_davis.py'
    monkeypatch.delenv('TEMPSEG_DAVIS_ROOT', raising=False)
    assert Config.fromfile(path).train_dataloader.dataset.data_root == 'data/DAVIS'
    monkeypatch.setenv('TEMPSEG_DAVIS_ROOT', '/elsewhere')
    cfg = Config.fromfile(path)
    assert cfg.train_dataloader.dataset.data_root == cfg.test_dataloader.dataset.data_root == '/elsewhere'
