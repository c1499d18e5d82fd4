import json
import logging

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import MMLogger

from tempseg_mm.apis.inferencer import VOSInferencer
from tempseg_mm.apis.inferencer.loading import default_config, find_config, load_segmenter
from tempseg_mm.engine.recipe import recipe_of
from tempseg_mm.models.generator_weights import save_generator
from tempseg_mm.ops.dense_crf import DenseCRF
from tempseg_mm.registry import HOOKS
from tempseg_mm.runtime import project_files

FINETUNE = dict(type='OnlineFinetuneHook', finetuner=dict(type='OnlineFinetuner', steps=7))


@pytest.fixture
def cfg(model_cfg):
    """Builds a config; keyword arguments are its keys."""
    return lambda **keys: find_config({'model': model_cfg, 'default_hooks': dict(finetune=FINETUNE), **keys})


def weights(loaded):
    return torch.cat([value.flatten().float() for value in loaded.segmenter.model.state_dict().values()])


def test_the_log_file_of_an_earlier_run_in_this_process_is_left_alone(cfg, tmp_path):
    logger, file = MMLogger.get_current_instance(), logging.FileHandler(tmp_path / 'log', mode='w')
    file.close()  # it has no stream any more
    logger.addHandler(file)
    try:
        load_segmenter(cfg(), 'none')
        assert file in logger.handlers
    finally:
        logger.removeHandler(file)


def test_weights_from_scratch_depend_on_the_seed_alone(cfg):
    first, second, other = (load_segmenter(cfg(), seed=seed) for seed in (0, 0, 1))
    assert torch.equal(weights(first), weights(second)) and not torch.equal(weights(first), weights(other))
    assert any('No trained weights were given' in notice for notice in first.notices)
    assert not any(module.training for module in first.segmenter.model.modules())


def test_a_checkpoint_of_its_own_or_named(cfg, make_model, tmp_path, monkeypatch):
    model, path = make_model(), tmp_path / 'g.safetensors'
    save_generator(model, path, half=False)
    for loaded in (load_segmenter(cfg(), str(path)), load_segmenter(cfg(checkpoint=str(path)))):
        np.testing.assert_array_equal(loaded.segmenter.model.generator.decoder.to_logits.weight.detach().cpu(),
                                      model.generator.decoder.to_logits.weight.detach())
        assert loaded.notices == [] and loaded.settings['checkpoint'] == str(path)
    for keys in (dict(checkpoint='newest'), dict(checkpoint='nowhere.pth')):  # meant for tests: no file, no matter
        assert load_segmenter(cfg(**keys)).checkpoint is None
    assert load_segmenter(cfg(checkpoint=str(path)), 'none').checkpoint is None
    with pytest.raises(FileNotFoundError, match='no checkpoint in nowhere'):
        load_segmenter(cfg(work_dir='nowhere'), 'newest')


def test_weights_of_another_recipe_are_told(cfg, make_model, tmp_path):
    model, now = make_model(), cfg()
    path, told = tmp_path / 'iter_1.pth', recipe_of(now.to_dict())
    save_generator(model, tmp_path / 'g.safetensors', metadata=dict(config='x.py', recipe=json.dumps(told)))
    torch.save(dict(state_dict=model.state_dict(), meta=dict(cfg=f'model = {now.model.to_dict()!r}', seed=3)), path)
    for file in (path, tmp_path / 'g.safetensors'):
        assert load_segmenter(now, str(file)).notices == []
        other = cfg()
        other.model.window = dict(type='ObjectWindow')
        loaded = load_segmenter(other, str(file))
        assert len(loaded.notices) == 1 and f'{file} fits, but was trained with other' in loaded.notices[0]
        assert loaded.settings['weights'] == (None if file == path else dict(config='x.py'))


@pytest.mark.parametrize('stored, size', [((112, 200), 112), (240, 240), (None, None)])
def test_the_working_size_is_a_shorter_side(cfg, stored, size):
    test = dict(test_dataloader=dict(dataset=dict(size=stored)))
    assert load_segmenter(cfg(**test)).segmenter.size == size
    assert load_segmenter(cfg(**test), size=64).segmenter.size == 64


def test_steps_come_from_the_config_unless_named(cfg):
    assert load_segmenter(cfg()).segmenter.finetuner.steps == 7
    named = load_segmenter(cfg(), steps=3)
    assert named.segmenter.finetuner.steps == named.settings['steps'] == 3
    with pytest.raises(ValueError, match='steps of fine-tuning must be at least 0, got -1'):
        load_segmenter(cfg(), steps=-1)
    assert load_segmenter(cfg(), steps=1 / 3).segmenter.finetuner.steps == 2
    assert load_segmenter(cfg(), steps=0.01).segmenter.finetuner.steps == 1
    hard = cfg()
    hard.default_hooks.finetune.finetuner.steps = (8, 24)
    for steps, expected in ((None, (8, 24)), (1 / 2, (4, 4)), (20, (20, 20))):  # what is asked for is not exceeded
        finetuner = load_segmenter(hard, steps=steps).segmenter.finetuner
        assert (finetuner.steps, finetuner.most_steps) == expected
    with pytest.raises(ValueError, match='a whole number, or a number below 1, which .* got 2.5'):
        load_segmenter(cfg(), steps=2.5)
    with pytest.raises(ValueError, match='size must be None'):
        load_segmenter(cfg(), size=0)
    without = cfg(default_hooks={})
    assert load_segmenter(without).segmenter.finetuner is None
    with pytest.raises(ValueError, match='3 steps of fine-tuning were requested, but the config has no default_hooks'):
        load_segmenter(without, steps=3)


def test_augmentation_is_what_the_hook_of_a_test_does(cfg):
    plain, asked = load_segmenter(cfg()).segmenter, load_segmenter(cfg(), tta=True).segmenter
    assert plain.tta is None
    assert asked.tta.prediction.flip and len(asked.tta.augment(asked.finetuner.augment).transforms) == 2
    hook = dict(type='TTAHook', finetune=[], prediction=dict(type='TestTimeAugmentation', flip=False, scales=[1, 1.5]))
    for asked_too in (False, True):
        of_config = load_segmenter(cfg(default_hooks=dict(finetune=FINETUNE, tta=hook)), tta=asked_too)
        assert of_config.segmenter.tta.prediction.scales == (1, 1.5) and hook in of_config.settings['hooks']


def test_the_crf_has_the_settings_of_the_config(cfg):
    def crf(loaded):
        hook, = loaded.segmenter.refiners
        return hook.refiner.crf
    assert load_segmenter(cfg(crf=dict(type='DenseCRF', srgb=7.0))).segmenter.refiners == ()
    assert crf(load_segmenter(cfg(crf=dict(type='DenseCRF', srgb=7.0)), crf=True)).srgb == 7
    assert crf(load_segmenter(cfg(), crf=True)).srgb == DenseCRF().srgb
    own = dict(finetune=FINETUNE, crf=dict(type='CRFHook', crf=dict(type='DenseCRF', srgb=9.0)))
    assert crf(load_segmenter(cfg(default_hooks=own), crf=True)).srgb == 9
    own['crf'].pop('crf')
    for hooks in (dict(default_hooks=own), dict(custom_hooks=[dict(type='CRFHook')])):
        assert crf(load_segmenter(cfg(**hooks, crf=dict(type='DenseCRF', srgb=5.0)))).srgb == 5


class Ones(Hook):
    """A hook of one's own."""

    def refine_masks(self, segmenter, stream):
        return stream


class Late(Ones):
    priority = 'LOW'


class Slip(Hook):
    def refine_mask(self, segmenter, stream):
        return stream


def test_hooks_of_any_type_act_in_order_of_priority(cfg, monkeypatch):
    for hook in (Ones, Late, Slip):
        monkeypatch.setitem(HOOKS.module_dict, hook.__name__, hook)
    custom = [dict(type='Late'), dict(type='Ones', priority='VERY_LOW'), Ones(), dict(type='IterTimerHook')]
    loaded = load_segmenter(cfg(custom_hooks=custom), crf=True)
    assert [type(hook).__name__ for hook in loaded.segmenter.refiners] == ['CRFHook', 'Ones', 'Late', 'Ones']
    assert [hook['type'] for hook in loaded.settings['hooks']] == [
        'OnlineFinetuneHook', 'CRFHook', 'Ones', 'Late', 'Ones']
    with pytest.raises(ValueError, match='Slip has a method refine_mask, .* did you mean the stage refine_masks'):
        load_segmenter(cfg(custom_hooks=[dict(type='Slip')]))
    with pytest.raises(KeyError, match="'Onse' is not a registered hook; did you mean Ones"):
        load_segmenter(cfg(custom_hooks=[dict(type='Onse')]))


def test_a_config_is_found_from_anywhere_and_never_changed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cfg = find_config('configs/segment_video.py', {'model.width': 0.5})
    assert cfg.model.width == 0.5 and cfg.default_hooks.finetune.finetuner.type == 'OnlineFinetuner'
    (tmp_path / 'own.py').write_text('a = 1')
    assert find_config('own.py').a == 1
    given = Config(dict(randomness=dict(seed=1)))
    assert find_config(given, {'randomness.seed': 2}).randomness.seed == 2 and given.randomness.seed == 1
    with pytest.raises(FileNotFoundError, match='no config at configs/nothing.py'):
        find_config('configs/nothing.py')


WEIGHTS = 'weights/shipped.safetensors'


@pytest.fixture
def project(tmp_path, model_cfg, make_model, monkeypatch):
    """A project of two configs and weights for them, worked with from another folder."""
    root = tmp_path / 'project'
    for name, steps, keys in (('segment_video', 3, dict(checkpoint=WEIGHTS)), ('segment_video_scratch', 9, {})):
        hook = dict(type='OnlineFinetuneHook', finetuner=dict(type='OnlineFinetuner', steps=steps))
        (root / 'configs').mkdir(parents=True, exist_ok=True)
        Config(dict(model=model_cfg, default_hooks=dict(finetune=hook), **keys)).dump(root / f'configs/{name}.py')
    save_generator(make_model(), root / WEIGHTS, metadata=dict(config='wide.py'))
    monkeypatch.setattr(project_files, 'ROOT', root)
    monkeypatch.chdir(tmp_path)
    return root


def steps(cfg):
    return cfg.default_hooks.finetune.finetuner.steps


def test_weights_of_the_project_are_found_from_anywhere(project):
    assert steps(default_config()) == 3
    loaded = VOSInferencer(device='cpu').loaded
    assert loaded.checkpoint == str(project / WEIGHTS) and loaded.notices == []
    assert loaded.settings['checkpoint'] == WEIGHTS and loaded.settings['weights'] == dict(config='wide.py')
    assert loaded.segmenter.finetuner.steps == 3


@pytest.mark.parametrize('checkpoint, options', [('none', None), (None, dict(checkpoint='none')),
                                                 (None, dict(checkpoint='gone.pth'))])
def test_random_numbers_have_a_config_of_their_own(project, checkpoint, options):
    assert steps(default_config(checkpoint, options)) == 9
    inferencer = VOSInferencer(None, checkpoint, 'cpu', cfg_options=options)
    assert inferencer.segmenter.finetuner.steps == 9 and inferencer.loaded.checkpoint is None
    assert 'No trained weights were given' in inferencer.loaded.notices[0]
    assert inferencer.loaded.settings['weights'] is None
    (project / 'configs/segment_video_scratch.py').unlink()
    assert steps(default_config(checkpoint, options)) == 3


def test_weights_that_are_gone_are_no_fault(project):
    (project / WEIGHTS).unlink()
    assert steps(default_config()) == 9


def test_a_config_that_is_named_stays(project):
    for checkpoint, found in ((None, str(project / WEIGHTS)), ('none', None)):
        loaded = VOSInferencer('configs/segment_video.py', checkpoint, 'cpu').loaded
        assert loaded.segmenter.finetuner.steps == 3 and loaded.checkpoint == found


def test_a_checkpoint_that_is_named_wins(project, make_model, tmp_path):
    save_generator(make_model(), tmp_path / 'mine.safetensors')
    for arguments in (dict(checkpoint='mine.safetensors'), dict(cfg_options=dict(checkpoint='mine.safetensors'))):
        loaded = VOSInferencer(device='cpu', **arguments).loaded
        assert loaded.checkpoint == 'mine.safetensors' and loaded.segmenter.finetuner.steps == 3
    with pytest.raises(FileNotFoundError, match='no weights at gone.safetensors'):
        VOSInferencer(device='cpu', checkpoint='gone.safetensors')


def test_settings_that_do_not_fit_the_weights(project):
    wide = {'model.width': 0.125}
    with pytest.raises(ValueError, match='another architecture.*of the file: config wide.py. The config names these '
                                         'weights: choose others with --checkpoint, or --checkpoint none'):
        VOSInferencer(device='cpu', cfg_options=wide)
    with pytest.raises(ValueError, match=r'of the file: config wide.py\.$'):
        VOSInferencer(device='cpu', checkpoint=WEIGHTS, cfg_options=wide)
    assert VOSInferencer(None, 'none', 'cpu', cfg_options=wide).loaded.checkpoint is None
