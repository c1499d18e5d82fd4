import dataclasses
import functools

import pytest
from mmengine.dataset import pseudo_collate
from mmengine.hooks import CheckpointHook, IterTimerHook
from mmengine.model import BaseModule
from mmengine.optim import AmpOptimWrapper, CosineAnnealingLR, OptimWrapper
from torch.optim import Adam

from tempseg_mm import registry
from tempseg_mm.datasets.segtrack_v2 import SegTrackV2Dataset
from tempseg_mm.datasets.vos_dataset import VOSDataset
from tempseg_mm.engine.hooks.atomic_checkpoint_hook import AtomicCheckpointHook
from tempseg_mm.engine.loops.gan_train_loop import GANTrainLoop
from tempseg_mm.models.losses import L1Loss
from tempseg_mm.settings.components import (
    accepted_keys,
    all_registries,
    component_at,
    find_types,
    registry_named,
    registry_of,
)


def test_types_and_their_places():
    cfg = dict(model=dict(type='A', parts=[dict(type='B'), dict(x=1), 'type']), size=(1, 2), other=dict(type=int),
               optim_wrapper=dict(constructor='C', generator=dict(type='D')))
    assert list(find_types(cfg)) == [
        (('model',), 'A'), (('model', 'parts', 0), 'B'), (('optim_wrapper', 'constructor'), 'C'),
        (('optim_wrapper', 'generator'), 'D')]


@pytest.mark.parametrize('place, name', [
    ('model', 'MODELS'), ('model.generator.backbone', 'MODELS'), ('model.data_preprocessor.flow', 'TASK_UTILS'),
    ('model.generator.backbone.init_cfg', 'WEIGHT_INITIALIZERS'), ('train_dataloader.dataset', 'DATASETS'),
    ('train_dataloader.dataset.pipeline.0', 'TRANSFORMS'), ('default_hooks.param_scheduler', 'HOOKS'),
    ('custom_hooks.0.finetuner', 'TASK_UTILS'), ('custom_hooks.0.finetuner.optimizer', 'OPTIMIZERS'),
    ('default_hooks.finetune', 'HOOKS'), ('default_hooks.finetune.finetuner', 'TASK_UTILS'),
    ('default_hooks.crf', 'HOOKS'), ('default_hooks.crf.crf', 'TASK_UTILS'), ('crf', 'TASK_UTILS'),
    ('default_hooks.tta.finetune.0', 'TRANSFORMS'), ('default_hooks.tta.prediction', 'TASK_UTILS'),
    ('train_dataloader.dataset.pipeline.1.provider', 'TASK_UTILS'),
    ('optim_wrapper.generator', 'OPTIM_WRAPPERS'), ('optim_wrapper.generator.optimizer', 'OPTIMIZERS'),
    ('param_scheduler.generator.0', 'PARAM_SCHEDULERS'), ('train_cfg', 'LOOPS'), ('test_evaluator', 'METRICS'),
    ('visualizer.vis_backends.1', 'VISBACKENDS'), ('optim_wrapper.constructor', 'OPTIM_WRAPPER_CONSTRUCTORS'),
])
def test_the_place_says_which_registry(place, name):
    keys = tuple(int(key) if key.isdigit() else key for key in place.split('.'))
    assert registry_of(keys) is getattr(registry, name)


def test_a_component_is_found_by_its_place():
    assert component_at(('model', 'losses', 'any'), 'L1Loss') is L1Loss
    assert component_at(('model',), 'tempseg_mm.L1Loss') is L1Loss
    assert component_at(('geometry',), L1Loss) is L1Loss


@pytest.mark.parametrize('place, name', [
    (('custom_hooks', 0), 'L1Loss'), (('model',), 'L1Los'), (('model',), 'gone.Thing'), (('geometry',), 'L1Loss'),
    (('model',), None), (('model',), 3), (('model_wrapper_cfg',), 'no_module.Thing')])
def test_what_no_registry_of_the_place_knows(place, name):
    assert component_at(place, name) is None


def test_registries_by_name():
    assert registry_named('MODELS') is registry.MODELS
    assert registry_named('LOG_PROCESSORS').name == 'log_processor'
    assert registry.OPTIM_WRAPPER_CONSTRUCTORS in all_registries()


class Base:
    def __init__(self, a, *, b=2):
        self.ab = a, b


class PassesOn(Base):
    def __init__(self, c, *args, **kwargs):
        super().__init__(*args, **kwargs)


class Reads(Base):
    def __init__(self, **options):
        self.d, self.e = options.pop('d', 1), options['e']
        super().__init__(options.get('f'), **options)


class Inherits(PassesOn):
    pass


class Keeps(Base):
    def __init__(self, c, **kwargs):
        super().__init__(c)
        self.kwargs = kwargs


class Changes(Base):
    def __init__(self, **kwargs):
        kwargs.update(a=1)
        super().__init__(**kwargs)


class Sink:
    def __init__(self, **kwargs):
        pass


class Ends(Sink):
    def __init__(self, a, **kwargs):
        super().__init__(**kwargs)


class Made:
    def __new__(cls, a):
        return super().__new__(cls)


class Nothing:
    pass


@dataclasses.dataclass
class Fields:
    height: int = 3
    width: int = 4


def wrapped(init):
    @functools.wraps(init)
    def inner(self, *args, **kwargs):
        init(self, *args, **kwargs)
    return inner


class Decorated(Base):
    @wrapped
    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)


def function(a, /, b, *, c=3):
    pass


@pytest.mark.parametrize('builder, keys', [
    (Base, 'a b'), (PassesOn, 'a b c'), (Inherits, 'a b c'), (Reads, 'a b d e f'), (Decorated, 'a b c'),
    (Nothing, ''), (Fields, 'height width'), (function, 'b c'), (pseudo_collate, 'data_batch'),
    (IterTimerHook, '')])
def test_parameters(builder, keys):
    assert set(accepted_keys(builder)) == set(keys.split())


@pytest.mark.parametrize('builder', [Keeps, Changes, Sink, Ends, Made, dict, max, lambda **kwargs: 0])
def test_no_guesses(builder):
    assert accepted_keys(builder) is None


def test_who_declares_a_parameter():
    assert accepted_keys(PassesOn) == dict(c=PassesOn, a=Base, b=Base)
    assert accepted_keys(SegTrackV2Dataset)['pipeline'] is VOSDataset
    assert accepted_keys(function)['b'] is function


@pytest.mark.parametrize('builder, some', [
    (GANTrainLoop, 'max_iters discriminator_steps val_interval'), (Adam, 'lr betas weight_decay'),
    (CosineAnnealingLR, 'eta_min begin end by_epoch'), (OptimWrapper, 'optimizer clip_grad accumulative_counts'),
    (AmpOptimWrapper, 'dtype clip_grad'), (CheckpointHook, 'interval save_best'), (BaseModule, 'init_cfg'),
    (AtomicCheckpointHook, 'interval max_keep_ckpts')])
def test_components_of_the_libraries(builder, some):
    assert set(some.split()) <= set(accepted_keys(builder))
    assert 'intervall' not in accepted_keys(builder)
