import pytest

from tempseg_mm import registry
from tempseg_mm.apis.config_places import all_registries, component_at, find_types, registry_named, registry_of
from tempseg_mm.models.losses import L1Loss


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
