import copy
import json
from unittest.mock import Mock

import pytest
from mmengine.config import Config

from tempseg_mm.engine.recipe import KEY, other_recipe, recipe_of, shorter_side, told_recipe
from tempseg_mm.models.generator_weights import save_generator

CFG = dict(
    model=dict(
        type='TempSegGAN', width=0.5, reach=0.2, data_preprocessor=dict(type='VOSDataPreprocessor'),
        generator=dict(
            type='EncoderDecoderGenerator', reference_mask='input',
            backbone=dict(type='MobileNetV2Backbone', output_stride=16, dropout=0.2, norm_eval=True,
                          init_cfg=dict(type='ImageNetWeights', checkpoint='x.pth')))),
    train_dataloader=dict(dataset=dict(size=(64, 112))), test_dataloader=dict(dataset=dict(size=64)))
WINDOW = dict(type='ObjectWindow', size=(96, 168), share=0.6)


def changed(**options):
    cfg = Config(copy.deepcopy(CFG))
    cfg.merge_from_dict(options)
    return cfg.to_dict()


def notice(told, now):
    return other_recipe(told, recipe_of(now, 'test'), 'x.pth')


@pytest.fixture(params=['checkpoint', 'generator'])
def told(request):
    """What each kind of file tells of weights that were trained with ``CFG``."""
    if request.param == 'generator':
        return {KEY: json.dumps(recipe_of(CFG)), 'config': 'x.py'}
    return dict(cfg=Config(CFG).pretty_text, iter=3)


def test_what_windows_do_at_test_time_is_nothing_to_the_weights():
    at_test_time = dict(WINDOW, aspect=(0.5, 2.5), redetection=dict(found=0), surroundings=None)
    assert recipe_of(changed(**{'model.window': at_test_time})) == recipe_of(changed(**{'model.window': WINDOW}))


def test_what_weights_rely_on():
    recipe = recipe_of(CFG)
    assert recipe['generator'] == dict(type='EncoderDecoderGenerator', width=0.5, reference_mask='input', backbone=dict(
        type='MobileNetV2Backbone', output_stride=16))
    assert recipe['window'] is None and recipe['frames'] == 64 and len(recipe['normalisation']['std']) == 3
    assert recipe_of(dict(model=None))['frames'] is None
    assert [shorter_side(size) for size in ((240, 427), [9, 7], 240, None)] == [240, 7, 240, None]


@pytest.mark.parametrize('options', [
    {}, {'model.generator.backbone.init_cfg': None}, {'model.generator.backbone.dropout': 0.0}, {'model.reach': None},
    {'model.data_preprocessor.mean': (123.675, 116.28, 103.53)}, {'test_dataloader.dataset.size': None}])
def test_what_is_nothing_to_the_weights_is_not_told(told, options):
    assert notice(told, changed(**options)) is None


@pytest.mark.parametrize('options, words', [
    ({'model.data_preprocessor.mean': (0, 0, 0)}, 'normalisation.mean ([123.675, 116.28, 103.53] then, [0, 0, 0] now)'),
    ({'model.generator.backbone.output_stride': 32}, 'generator.backbone.output_stride (16 then, 32 now)'),
    ({'model.generator.reference_mask': 'none'}, "generator.reference_mask ('input' then, 'none' now)"),
    ({'test_dataloader.dataset.size': (480, 854)}, 'frames (64 then, 480 now)'),
])
def test_what_differs_is_named(told, options, words):
    assert notice(told, changed(**options)) == (
        f'x.pth fits, but was trained with other settings: {words}. Masks may be much worse. Use the config that '
        'it was trained with, unless you intend this')


def test_windows_are_told_without_the_frames_behind_them(told):
    said = notice(told, changed(**{'model.window': WINDOW}))
    assert said.count(' then, ') == 1 and "window (None then, {'share': 0.6" in said
    windows = {KEY: json.dumps(recipe_of(changed(**{'model.window': WINDOW})))}
    assert notice(windows, changed(**{'model.window': WINDOW})) is None
    smaller = changed(**{'model.window': dict(WINDOW, size=(64, 112))})
    assert 'window.size ([96, 168] then, (64, 112) now)' in notice(windows, smaller)


@pytest.mark.parametrize('told', [
    {}, dict(cfg=''), dict(cfg='a = 1'), dict(cfg='def f(): pass'), {KEY: '{'}, {KEY: '[]'}, {KEY: 7},
    dict(config='tempseg_davis.py')])
def test_a_file_that_does_not_tell_is_taken_as_it_is(told):
    assert told_recipe(told) is None and notice(told, changed()) is None


@pytest.mark.parametrize('kind', ['checkpoint', 'generator'])
def test_a_test_says_it_of_its_weights(make_runner, tmp_path, monkeypatch, kind):
    trained = make_runner(**{'train_cfg.max_iters': 1, 'default_hooks.finetune': None})
    if kind == 'checkpoint':
        trained.train()
        path = tmp_path / 'work/iter_1.pth'
    else:
        path = tmp_path / 'g.safetensors'
        save_generator(trained.model, path, metadata={KEY: json.dumps(recipe_of(trained.cfg.to_dict()))})
    for mean, expected in (((123.675, 116.28, 103.53), 0), ((0, 0, 0), 1)):
        runner = make_runner(**{'load_from': str(path), 'model.data_preprocessor.mean': mean})
        with monkeypatch.context() as patch:
            warning = Mock()
            patch.setattr(runner.logger, 'warning', warning)
            runner.load_or_resume()
        found = [call for call in warning.call_args_list if 'other settings: normalisation.mean' in call.args[0]]
        assert len(found) == expected
