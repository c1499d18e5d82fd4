from pathlib import Path

import pytest
from mmengine.config import Config

from tempseg_mm import registry
from tempseg_mm.doctor.config_types import find_types, registry_of, unknown_type

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted(path for path in (ROOT / 'configs').rglob('*.py') if '_base_' not in path.parts)


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
    ('default_hooks.finetune.finetuner', 'TASK_UTILS'), ('default_hooks.finetune.finetuner.optimizer', 'OPTIMIZERS'),
    ('optim_wrapper.generator', 'OPTIM_WRAPPERS'), ('optim_wrapper.generator.optimizer', 'OPTIMIZERS'),
    ('param_scheduler.generator.0', 'PARAM_SCHEDULERS'), ('train_cfg', 'LOOPS'), ('test_evaluator', 'METRICS'),
    ('visualizer.vis_backends.1', 'VISBACKENDS'), ('optim_wrapper.constructor', 'OPTIM_WRAPPER_CONSTRUCTORS'),
])
def test_the_place_says_which_registry(place, name):
    keys = tuple(int(key) if key.isdigit() else key for key in place.split('.'))
    assert registry_of(keys) is getattr(registry, name)


def test_a_place_that_says_nothing():
    assert registry_of(('geometry',)) is None
    assert unknown_type(('geometry',), 'ClipRandomAffine') == ''
    assert unknown_type(('geometry',), 'ClipRandomAfine').startswith(
        "'ClipRandomAfine' is no registered component; did you mean ClipRandomAffine")


@pytest.mark.parametrize('place, name, fault', [
    (('model', 'losses', 'l1'), 'L1Los', "'L1Los' is no registered model; did you mean L1Loss"),
    (('custom_hooks', 0), 'L1Loss', "'L1Loss' is no registered hook, but a model; "),
    (('model', 'x'), 'zzzzqqqq', "'zzzzqqqq' is no registered model; no known name is like it"),
    (('train_dataloader', 'collate_fn'), 'pseudo_colate', 'did you mean pseudo_collate'),
    (('model',), 'tempseg_mm.TempSegGAM', 'did you mean TempSegGAN'),
])
def test_unknown_types(place, name, fault):
    assert unknown_type(place, name).startswith(fault) or fault in unknown_type(place, name)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_the_configs_of_the_project_name_nothing_unknown(path):
    found = list(find_types(Config.fromfile(path).to_dict()))
    assert len(found) > 10
    assert [fault for place, name in found if (fault := unknown_type(place, name))] == []
