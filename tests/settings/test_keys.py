import inspect
import re
import sys
import time
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from tempseg_mm.apis.config import load_config
from tempseg_mm.apis.inferencer.loading import find_config
from tempseg_mm.runtime.project_files import ROOT
from tempseg_mm.settings.keys import (
    RUNNER_READS,
    TOP_KEYS,
    KeyFault,
    UnknownSettingError,
    merge_and_check,
    refuse,
)

CONFIGS = sorted((Path(ROOT) / 'configs').rglob('*.py'))
SYNTHETIC = str(Path(ROOT) / 'configs/tempseg_synthetic.py')
WINDOWS = ('model.window.size, train_dataloader.dataset.pipeline.1.window.size, test_dataloader.dataset.size, '
           'default_hooks.finetune.finetuner.augment.0.window.size')
HOOK = next((f'custom_hooks.{i}' for i, hook in enumerate(Config.fromfile(SYNTHETIC).get('custom_hooks', []))
             if hook.type == 'OnlineFinetuneHook'), 'default_hooks.finetune')


@pytest.fixture(autouse=True)
def _quiet():
    MMLogger.get_current_instance().setLevel('WARNING')


def faults(*options, path=SYNTHETIC):
    with pytest.raises(UnknownSettingError) as error:
        load_config(path, options=dict.fromkeys(options, 5))
    return {fault.path: fault.suggestion for fault in error.value.faults}


SLIPS = {
    'trian_cfg.max_iters': 'train_cfg.max_iters', 'modle.width': 'model.width', 'checkpont': 'checkpoint',
    'model.losses.itsdd.patch_size': 'model.losses.itsd.patch_size', 'model.reahc': 'model.reach',
    'model.window.redetection.fund': 'model.window.redetection.found',
    'model.window.surroundings.ration': 'model.window.surroundings.ratio',
    'model.generator.decoder.dropuot': 'model.generator.decoder.dropout', 'finetuner.stpes': f'{HOOK}.finetuner.steps',
    f'{HOOK}.finetuner.stpes': f'{HOOK}.finetuner.steps', f'{HOOK}.finetunr.steps': f'{HOOK}.finetuner.steps',
    f'{HOOK}.finetuner.optimizer.lrr': f'{HOOK}.finetuner.optimizer.lr',
    f'{HOOK}.finetuner.pipeline.0.warpp': f'{HOOK}.finetuner.pipeline.0.warp',
    'train_dataloader.dataset.clip_sampler.clip_lenght': 'train_dataloader.dataset.clip_sampler.clip_length',
    'train_dataloader.dataset.pipeline.1.degres': 'train_dataloader.dataset.pipeline.1.degrees',
    'train_dataloader.dataset.scene.heigth': 'train_dataloader.dataset.scene.height',
    'train_dataloader.datset.size': 'train_dataloader.dataset.size',
    'train_dataloader.batch_sze': 'train_dataloader.batch_size',
    'test_dataloader.sampler.sed': 'test_dataloader.sampler.seed',
    'optim_wrapper.generator.optimizer.lrr': 'optim_wrapper.generator.optimizer.lr',
    'optim_wrapper.generator.clip_grd': 'optim_wrapper.generator.clip_grad',
    'optim_wrapper.genrator.optimizer.lr': 'optim_wrapper.generator.optimizer.lr',
    'optim_wrapper.generator.paramwise_cfg.bias_lr_mul': 'optim_wrapper.generator.paramwise_cfg.bias_lr_mult',
    'param_scheduler.generator.0.ned': 'param_scheduler.generator.0.end',
    'param_scheduler.genrator.0.end': 'param_scheduler.generator.0.end',
    'default_hooks.chekpoint.interval': 'default_hooks.checkpoint.interval',
    'default_hooks.pictures.intervall': 'default_hooks.pictures.interval',
    'env_cfg.cudnn_benchmrk': 'env_cfg.cudnn_benchmark', 'env_cfg.dist_cfg.timout': 'env_cfg.dist_cfg.timeout',
    'env_cfg.mp_cfg.mp_start_metod': 'env_cfg.mp_cfg.mp_start_method', 'randomness.sed': 'randomness.seed',
    'test_evaluator.meassures': 'test_evaluator.measures', 'visualizer.tile_widht': 'visualizer.tile_width',
    'visualizer.vis_backends.0.savedir': 'visualizer.vis_backends.0.save_dir', 'crf.srg': 'crf.srgb',
    'log_processor.windo_size': 'log_processor.window_size', 'test_cfg.num_given_frame': 'test_cfg.num_given_frames',
    'train_cfg.max_iter': 'train_cfg.max_iters', 'auto_scale_lr.enabel': 'auto_scale_lr.enable',
}


@pytest.mark.parametrize('slip, meant', SLIPS.items())
def test_slips_among_the_options(slip, meant):
    assert faults(slip) == {slip: meant}


@pytest.mark.parametrize('variable, meant', [
    ('max_iters', 'train_cfg.max_iters, param_scheduler.generator.0.end'),
    ('size', WINDOWS),
    ('clip_window.degrees', 'train_dataloader.dataset.pipeline.1.degrees'),
    ('flow.type', 'model.data_preprocessor.flow.type')])
def test_a_variable_that_was_used_already(variable, meant):
    (path, suggestion), = faults(variable).items()
    assert path == variable and sorted(suggestion.split(', ')) == sorted(meant.split(', '))


def test_a_variable_whose_setting_was_changed_too():
    with pytest.raises(UnknownSettingError, match=r'max_iters: .*; did you mean train_cfg\.max_iters\?'):
        load_config(SYNTHETIC, options={'train_cfg.max_iters': 3, 'param_scheduler.generator.0.end': 3, 'max_iters': 5})


def test_all_faults_in_one_message_a_line_each():
    with pytest.raises(UnknownSettingError) as error:
        load_config(SYNTHETIC, options={'trian_cfg.max_iters': 5, 'max_iters': 5, 'crf.x': 1, 'model.width': 0.5})
    lines = str(error.value).splitlines()
    assert lines[0] == f'3 unknown settings in {SYNTHETIC}:'
    assert lines[1] == "  trian_cfg.max_iters: there is no setting 'trian_cfg'; did you mean train_cfg.max_iters?"
    assert lines[2].startswith("  max_iters: 'max_iters' is a variable of the config files, which have already used it")
    assert lines[3].startswith("  crf.x: DenseCRF takes no 'x'; known settings: clip, compat_bilateral, ")
    assert len(lines) == 5 and '`custom_imports`' in lines[4]


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: str(path.relative_to(Path(ROOT) / 'configs')))
def test_no_false_alarm_on_the_configs_of_the_project(path):
    load_config(str(path))
    cfg = Config.fromfile(path)
    assert merge_and_check(cfg) == []
    assert merge_and_check(Config(cfg.to_dict())) == []


def test_a_copy_that_mmengine_writes_loads_again(tmp_path):
    load_config(SYNTHETIC).dump(tmp_path / 'copy.py')
    load_config(str(tmp_path / 'copy.py'))
    (tmp_path / 'child.py').write_text("_base_ = './copy.py'\ntrain_cfg = dict(max_iters=3)\n")
    assert load_config(str(tmp_path / 'child.py')).train_cfg.max_iters == 3


def written(tmp_path, text, base=SYNTHETIC):
    path = tmp_path / 'mine.py'
    path.write_text((f'_base_ = {base!r}\n' if base else '') + text)
    return str(path)


@pytest.mark.parametrize('text, found', [
    ('trian_cfg = dict(max_iters=5)', {'trian_cfg.max_iters': 'train_cfg.max_iters'}),
    ("trian_cfg = dict(type='A', max_iters=5)", {'trian_cfg': 'train_cfg'}),
    ('finetuner = dict(steps=3)', {'finetuner.steps': f'{HOOK}.finetuner.steps'}),
    ('model = dict(losses=dict(itsdd=dict(patch_size=2)))',
     {'model.losses.itsdd.patch_size': 'model.losses.itsd.patch_size'}),
    ("model = dict(losses=dict(new=dict(type='L1Loss', loss_wieght=1)))",
     {'model.losses.new.loss_wieght': 'model.losses.new.loss_weight'}),
    ('zzzz = 1', {'zzzz': ''}),
    ('max_iters = 100', {'max_iters': 'train_cfg.max_iters, param_scheduler.generator.0.end'}),
    ('size = (32, 48)', {'size': WINDOWS})])
def test_slips_in_a_file(tmp_path, text, found):
    assert faults(path=written(tmp_path, text)) == found


def test_a_variable_of_a_base_says_where_it_went(tmp_path):
    with pytest.raises(UnknownSettingError) as error:
        load_config(written(tmp_path, 'max_iters = 100'))
    assert ('max_iters: tempseg_synthetic.py has already used its own max_iters, so nothing reads this one '
            '(in mine.py); did you mean train_cfg.max_iters') in str(error.value)


@pytest.mark.parametrize('text', [
    'max_iters = 100\ntrain_cfg = dict(max_iters=max_iters)', '_kept_for_others = 1', "experiment_name = 'a'",
    "auto_scale_lr = dict(enable=True, base_batch_size=8)\nlauncher = 'none'\nlog_level = 'WARNING'\ncompile = False",
    "load_from = 'a.pth'\nresume = True\nfind_unused_parameters = True\nsync_bn = 'torch'",
    'train_dataloader = dict(pin_memory=True, prefetch_factor=2, persistent_workers=True, drop_last=True, timeout=9)',
    "train_dataloader = dict(num_batch_per_epoch=5, worker_init_fn=dict(type='default_worker_init_fn'))",
    "env_cfg = dict(resource_limit=99, dist_cfg=dict(backend='gloo', init_backend='torch'))",
    'randomness = dict(diff_rank_seed=True, deterministic=True)', 'optim_wrapper = dict(generator=dict('
    'accumulative_counts=2, clip_grad=dict(max_norm=1), optimizer=dict(betas=(0.5, 0.9), amsgrad=True),'
    'paramwise_cfg=dict(norm_decay_mult=0, custom_keys=dict(backbone=dict(lr_mult=0.1)))))',
    "default_hooks = dict(mine=dict(type='EMAHook', momentum=0.1, priority='LOW'), timer=None, overlays=None)",
    "custom_hooks = [dict(type='EarlyStoppingHook', monitor='J', priority=60), dict(type='TTAHook', prediction={})]",
    "model = dict(init_cfg=[dict(type='Kaiming', layer='Conv2d', override=dict(type='Normal', name='x', std=1))])",
    "model_wrapper_cfg = dict(_delete_=True, type='MMDistributedDataParallel', find_unused_parameters=True)",
    "test_evaluator = [dict(type='VOSMetric')]",
    "test_evaluator = dict(_delete_=True, metrics=[dict(type='VOSMetric')])",
    'train_cfg = dict(_delete_=True, by_epoch=True, max_epochs=3, val_interval=1)',
    "train_dataloader = dict(dataset=dict(_delete_=True, type='RepeatDataset', times=2, dataset=dict("
    "type='DAVISDataset', data_root='x', split='train', pipeline=[dict(type='LoadClip'), dict(type='PackClip')])))",
    "model = dict(losses=dict(own=dict(type='NotImportedLoss', anything=1, backbone=dict(x=1))))",
    "optim_wrapper = dict(_delete_=True, constructor='NotImported', generator=dict(any=1, optimizer=dict(type='SGD')))",
    'import math\ntrain_cfg = dict(max_iters=math.ceil(2.5))\ndef helper():\n    return 3',
])
def test_no_false_alarm_on_sensible_configs(tmp_path, text):
    load_config(written(tmp_path, text))


OUTSIDE = """
from tempseg_mm.models.losses.base import GeneratorLoss
from tempseg_mm.registry import MODELS

READ_FROM_THE_CONFIG = 'my_setting'


@MODELS.register_module()
class OutsideKeysLoss(GeneratorLoss):
    def __init__(self, head, **kwargs):
        super().__init__(**kwargs)
"""


@pytest.fixture
def outside(tmp_path, monkeypatch):
    from tempseg_mm.registry import MODELS
    (tmp_path / 'outside_keys_loss.py').write_text(OUTSIDE)
    monkeypatch.syspath_prepend(tmp_path)
    yield "custom_imports = dict(imports=['outside_keys_loss'])\n"
    sys.modules.pop('outside_keys_loss', None)
    MODELS.module_dict.pop('OutsideKeysLoss', None)


def test_a_component_from_outside(outside, tmp_path):
    loss = ("model = dict(losses=dict(own=dict(type='OutsideKeysLoss', loss_weight=2.0, "
            "head=dict(type='L1Loss', own=1))))")
    assert load_config(written(tmp_path, f'{outside}{loss}\nmy_setting = 3\n')).my_setting == 3
    found = faults('model.losses.own.hed', path=written(tmp_path, f'{outside}{loss}\n'))
    assert found == {'model.losses.own.hed': 'model.losses.own.head'}
    assert faults(path=written(tmp_path, f'{outside}{loss}\nmy_seting = 3\n')) == {'my_seting': ''}


def test_a_file_without_a_base_may_keep_variables(tmp_path):
    load_config(written(tmp_path, "num_classes = 3\ntrain_pipeline = [dict(type='LoadClip')]\n", base=None))
    assert faults(path=written(tmp_path, 'trian_cfg = dict(max_iters=3)', base=None)) == {
        'trian_cfg.max_iters': 'train_cfg'}


def test_dicts_are_checked_too():
    good = dict(model=Config.fromfile(SYNTHETIC).model.to_dict(), test_dataloader=dict(dataset=dict(size=64)), mine=1)
    find_config(good)
    with pytest.raises(UnknownSettingError, match=r'in the config:\n  modle: .*did you mean model\?'):
        find_config(dict(good, modle=3))
    with pytest.raises(UnknownSettingError, match=r'model\.widht: TempSegGAN takes .*did you mean model\.width\?'):
        find_config(good, {'model.widht': 3})
    with pytest.raises(UnknownSettingError, match=r'randomness\.sed'):
        find_config(Config(dict(randomness=dict(sed=1))))
    with pytest.raises(UnknownSettingError, match=r'tempseg_synthetic\.py:\n  zzzz: '):
        find_config(SYNTHETIC, {'zzzz': 1})


def test_the_caller_may_take_the_faults():
    found = []
    cfg = load_config(SYNTHETIC, options={'crf.srg': 1, 'zzzz': 1, 'model.width': 0.5}, faults=found)
    assert [fault.path for fault in found] == ['zzzz', 'crf.srg']
    assert cfg.model.width == 0.5 and 'zzzz' not in cfg


def test_default_hooks_that_are_no_dict_keep_their_error():
    with pytest.raises(ValueError, match='default_hooks must be a dict of hooks by name, got 5'):
        load_config(SYNTHETIC, options={'default_hooks': 5})


@pytest.mark.parametrize('fault, text', [
    (KeyFault('a.b', 'no', 'a.c'), 'a.b: no; did you mean a.c?'),
    (KeyFault('a', 'no', '', 'b, c'), 'a: no; known settings: b, c'),
    (KeyFault('a', 'no'), 'a: no')])
def test_how_a_fault_reads(fault, text):
    assert str(fault) == text
    with pytest.raises(UnknownSettingError, match=re.escape(f'an unknown setting in x.py:\n  {text}\n')):
        refuse([fault], 'x.py')


def test_nothing_to_refuse():
    refuse([])


def test_what_the_runner_reads_from_the_whole_config():
    read = set(re.findall(r"self\.cfg\.get\(\s*'(\w+)'", inspect.getsource(Runner)))
    assert read == set(RUNNER_READS)
    assert {'model', 'work_dir', 'train_cfg', 'checkpoint', 'default_scope'} <= TOP_KEYS and 'self' not in TOP_KEYS


def test_the_check_is_quick():
    load_config(SYNTHETIC)  # registries are filled once
    cfg = Config.fromfile(SYNTHETIC)
    start = time.process_time()
    merge_and_check(cfg)
    assert time.process_time() - start < 0.3
