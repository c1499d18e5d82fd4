import re
from pathlib import Path

import numpy as np
import pytest

from tempseg_mm.apis.config import load_config
from tempseg_mm.engine.optim.gan_constructor import GANOptimWrapperConstructor
from tempseg_mm.paper_tables.rows import NONE, OWN
from tempseg_mm.paper_tables.run import TableRun
from tempseg_mm.paper_tables.tables import PRESETS, TABLES, rows_of
from tempseg_mm.registry import MODELS, TASK_UTILS, TRANSFORMS

ROOT = Path(__file__).resolve().parents[2]
ROWS = [(table, row) for table, rows in TABLES.items() for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize('preset', PRESETS)
def test_every_row_builds_on_every_preset_that_has_it(preset, tmp_path, monkeypatch):
    for _, row in ROWS:
        for name, _ in row.needs:
            monkeypatch.setenv(name, f'/nowhere/{name}')
    rows = list({row.key: row for table in TABLES for row in rows_of(table, preset)}.values())
    run, models = TableRun(rows, PRESETS[preset], tmp_path, seeds=[0], root=ROOT), {}
    for row in rows:
        cfg = run.config(row, 0)
        for part in filter(None, (cfg.model, cfg.model.generator, cfg.model.adversary)):
            part.width = 0.0625
        if row.key == 'flow_flownet2':  # its weights are not at hand
            cfg.model.data_preprocessor.flow = dict(type='ZeroFlow')
        model = models[str(cfg.model)] = models.get(str(cfg.model)) or MODELS.build(cfg.model)
        finetuner = TASK_UTILS.build(cfg.default_hooks.finetune.finetuner)
        assert set(finetuner.leave_out) <= set(model.loss_names), row.key
        wrappers = {name: wrapper for name, wrapper in cfg.optim_wrapper.items() if name != 'constructor'}
        assert 'generator' in GANOptimWrapperConstructor(wrappers)(model).keys(), row.key
    assert len(rows) > 50 and len(models) > 10


def test_a_row_is_of_the_presets_that_it_names():
    keys = {preset: {row.key for row in rows_of('readings', preset)} for preset in PRESETS}
    assert {row.key for row in TABLES['readings']} == keys['davis_small']
    assert keys['davis_small'] - keys['synthetic'] == {'random_trunk', 'pascal_trunk', 'table_a1'}
    assert keys['synthetic'] - keys['davis'] == {
        'undeformed_references', 'weaker_deformation', 'stronger_deformation'}
    assert {preset for _, row in ROWS for preset in row.presets} <= set(PRESETS)


@pytest.mark.parametrize('preset', PRESETS)
@pytest.mark.parametrize('table', TABLES)
def test_rows_refer_to_rows_of_their_table(table, preset):
    rows = rows_of(table, preset)
    keys = [row.key for row in rows]
    assert len(set(keys)) == len(keys)
    assert {row.against for row in rows} <= set(keys)
    trained = {row.key for row in rows if row.weights == OWN}
    assert {row.weights for row in rows} - {OWN, NONE} <= trained


def test_the_papers_values_of_table_1():
    assert [row.paper for row in TABLES['1'] if row.paper] == [76.8, 68.7, 79.3, 81.2, 84.6, 85.1, 86.3]
    assert [row.paper for row in TABLES['2']] == [85.1, 86.3, 77.6, 78.4, 76.8, 77.9]


def test_every_ablation_is_in_a_table():
    named = {row.config for _, row in ROWS}
    assert {f'ablations/{path.name}' for path in (ROOT / 'configs/ablations').glob('*.py')} <= named


def test_the_fine_tuning_table_trains_once():
    assert [row.key for row in TABLES['finetuning'] if row.weights == OWN] == ['full']
    assert [row.key for row in TABLES['finetuning'] if row.curve] == [
        'no_finetuning', 'steps_25', 'steps_50', 'steps_100', 'steps_200', 'steps_400']


def test_a_row_of_the_parts_has_those_above_it_and_none_below(tmp_path):
    rows = rows_of('parts', 'davis')
    run = TableRun(rows, PRESETS['davis'], tmp_path, seeds=[0], root=ROOT)
    configs = {row.key: run.config(row, 0) for row in rows}

    def parts(cfg):
        window, finetuner = TASK_UTILS.build(cfg.model.window), cfg.default_hooks.finetune.finetuner
        found = window.redetection
        return dict(near=cfg.model.reach is not None, searched=found.lost > 0 and found.widening > 1,
                    adapting=cfg.default_hooks.get('adapt') is not None,
                    shape=window.aspect is not None and finetuner.augment[0].window.aspect is not None,
                    steps=isinstance(finetuner.steps, (tuple, list)), sure=found.found > 0 and found.largest < 1e9,
                    surroundings=window.surroundings is not None, outlines=cfg.default_hooks.get('crf') is not None)
    keys = [row.key for row in rows]
    assert keys == ['windows', *parts(configs['outlines'])]
    for i, key in enumerate(keys):
        assert list(parts(configs[key]).values()) == [True] * i + [False] * (len(keys) - 1 - i), key
    assert [row.against for row in rows] == ['windows', *keys[:-1]]
    recipe = load_config(str(ROOT / 'configs/tempseg_davis_mobilenet.py'))
    assert {name: configs['outlines'][name] for name in ('model', 'default_hooks', 'test_cfg')} == {
        name: recipe[name] for name in ('model', 'default_hooks', 'test_cfg')}
    assert {row.weights for row in rows[:-1]} == {'outlines'} and rows[-1].weights == OWN


@pytest.fixture(scope='module')
def configs(tmp_path_factory):
    """Every row of the tables that choose, over the base that they choose for."""
    configs = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('TEMPSEG_BASE', 'nothing')  # each run sets its own
        patch.setenv('TEMPSEG_FLOWNET2_WEIGHTS', '/some/flownet2.pth')
        for table in ('losses', 'readings', 'finetuning'):
            rows = rows_of(table, 'davis_small')
            run = TableRun(rows, PRESETS['davis_small'], tmp_path_factory.mktemp(table), seeds=[0], root=ROOT)
            configs.update({row.key: run.config(row, 0) for row in rows if row.key not in configs})
    return configs


def test_no_row_changes_what_another_does(configs):
    """Equal configs are one row too many, unless one of them is what the base has already."""
    def settings(cfg):
        names = ('model', 'train_dataloader', 'default_hooks', 'optim_wrapper', 'test_cfg')
        return {name: cfg.get(name) for name in names}
    keys = [row.key for table in ('losses', 'readings', 'finetuning') for row in TABLES[table] if not row.options]
    others = [key for key in dict.fromkeys(keys) if settings(configs[key]) != settings(configs['full'])]
    assert len(others) > 25
    for i, key in enumerate(others):
        assert not [other for other in others[:i] if settings(configs[other]) == settings(configs[key])], key


def test_what_fine_tuning_on_cross_entropy_alone_leaves_out(configs):
    cfg = configs['finetune_bce']
    assert set(cfg.default_hooks.finetune.finetuner.leave_out) == set(cfg.model.losses) - {'bce'}


def test_rows_without_an_adversary_silence_the_warning(configs):
    for key in ('bce_iou', 'adversary_none'):
        cfg = configs[key]
        assert cfg.model.adversary is None
        assert not {name for name, loss in cfg.model.losses.items() if loss} & {'adv', 'iftl', 'l_iftl'}


def test_faults_of_references_are_scaled_and_as_frequent(configs):
    def deform(key):
        found = [step for step in configs[key].train_dataloader.dataset.pipeline if step.type == 'DeformReferenceMask']
        return found[0] if found else None
    full, weaker, stronger = (deform(key) for key in ('full', 'weaker_deformation', 'stronger_deformation'))
    mask = np.pad(np.ones((9, 7), np.uint8), 5)
    found = TRANSFORMS.build(deform('undeformed_references')).transform(dict(gt_masks=[mask] * 20))['reference_masks']
    assert len(found) == 20 and all(np.array_equal(reference, mask) for reference in found)
    for name in ('max_shift', 'scale', 'warp', 'dilate'):
        assert (weaker[name], stronger[name]) == pytest.approx((full[name] / 2, full[name] * 2))
    assert (weaker.rotate, stronger.rotate) == (4.0, 16.0)
    assert weaker.empty_prob == stronger.empty_prob == full.empty_prob


def test_clips_made_from_one_frame_come_first(configs):
    def types(steps):
        return [step.type for step in steps]
    full = types(configs['full'].train_dataloader.dataset.pipeline)
    assert types(configs['lucid_clips'].train_dataloader.dataset.pipeline) == [full[0], 'LucidClip', *full[1:]]
    augment = types(configs['full'].default_hooks.finetune.finetuner.augment)
    assert types(configs['finetune_lucid'].default_hooks.finetune.finetuner.augment) == ['LucidClip', *augment]


def test_flows(configs):
    flow = {key: configs[f'flow_{key}'].model.data_preprocessor.flow for key in ('zero', 'dis', 'flownet2')}
    assert (flow['zero'], flow['dis']) == (dict(type='ZeroFlow'), dict(type='DISFlow'))
    assert flow['flownet2'] == dict(type='FlowNet2Flow', weights='/some/flownet2.pth')


@pytest.mark.parametrize('path', sorted((ROOT / 'configs/ablations').glob('*.py')), ids=lambda path: path.stem)
def test_the_command_of_a_config_names_it(path):
    assert re.search(rf'tempseg-(train|test) configs/ablations/{path.name}\b', path.read_text())


def test_no_fine_tuning_by_hand_too(monkeypatch):
    monkeypatch.setenv('TEMPSEG_BASE', 'tempseg_synthetic')
    cfg = load_config(str(ROOT / 'configs/ablations/no_finetuning.py'))
    assert cfg.default_hooks.finetune.finetuner.steps == 0
