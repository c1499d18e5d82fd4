import numpy as np
import pytest
import torch
from mmengine.config import Config

from tempseg_mm.apis.inferencer.loading import find_config, load_segmenter
from tempseg_mm.models.generator_weights import save_generator
from tempseg_mm.ops.dense_crf import DenseCRF

FINETUNE = dict(type='OnlineFinetuneHook', finetuner=dict(type='OnlineFinetuner', steps=7))


@pytest.fixture
def cfg(model_cfg):
    """Builds a config; keyword arguments are its keys."""
    return lambda **keys: find_config({'model': model_cfg, 'default_hooks': dict(finetune=FINETUNE), **keys})


def weights(segmenter):
    return torch.cat([value.flatten().float() for value in segmenter.model.state_dict().values()])


def test_weights_from_scratch_depend_on_the_seed_alone(cfg):
    first, second, other = (load_segmenter(cfg(), seed=seed) for seed in (0, 0, 1))
    assert torch.equal(weights(first), weights(second)) and not torch.equal(weights(first), weights(other))
    assert any('No trained weights were given' in notice for notice in first.notices)
    assert not any(module.training for module in first.model.modules())


def test_a_checkpoint_of_its_own_or_named(cfg, make_model, tmp_path, monkeypatch):
    model, path = make_model(), tmp_path / 'g.safetensors'
    save_generator(model, path, half=False)
    for segmenter in (load_segmenter(cfg(), str(path)), load_segmenter(cfg(checkpoint=str(path)))):
        np.testing.assert_array_equal(segmenter.model.generator.decoder.to_logits.weight.detach(),
                                      model.generator.decoder.to_logits.weight.detach())
        assert segmenter.notices == [] and segmenter.settings['checkpoint'] == str(path)
    for keys in (dict(checkpoint='newest'), dict(checkpoint='nowhere.pth')):  # meant for tests: no file, no matter
        assert load_segmenter(cfg(**keys)).checkpoint is None
    assert load_segmenter(cfg(checkpoint=str(path)), 'none').checkpoint is None
    with pytest.raises(FileNotFoundError, match='no checkpoint in nowhere'):
        load_segmenter(cfg(work_dir='nowhere'), 'newest')


@pytest.mark.parametrize('stored, size', [((112, 200), 112), (240, 240), (None, None)])
def test_the_working_size_is_a_shorter_side(cfg, stored, size):
    test = dict(test_dataloader=dict(dataset=dict(size=stored)))
    assert load_segmenter(cfg(**test)).size == size
    assert load_segmenter(cfg(**test), size=64).size == 64


def test_steps_come_from_the_config_unless_named(cfg):
    assert load_segmenter(cfg()).finetuner.steps == 7
    assert load_segmenter(cfg(), steps=3).finetuner.steps == 3
    assert load_segmenter(cfg(default_hooks={}), steps=3).finetuner.steps == 3
    with pytest.raises(ValueError, match='steps of fine-tuning must be at least 0, got -1'):
        load_segmenter(cfg(), steps=-1)
    with pytest.raises(ValueError, match='size must be None'):
        load_segmenter(cfg(), size=0)


def test_augmentation_is_what_the_hook_of_a_test_does(cfg):
    plain, asked = load_segmenter(cfg()), load_segmenter(cfg(), tta=True)
    assert plain.model.test_time_augmentation is None and not plain.finetuner.augment.transforms
    assert asked.model.test_time_augmentation.flip and len(asked.finetuner.augment.transforms) == 2
    hook = dict(type='TTAHook', finetune=[], prediction=dict(type='TestTimeAugmentation', flip=False, scales=[1, 1.5]))
    of_config = load_segmenter(cfg(default_hooks=dict(finetune=FINETUNE, tta=hook)))
    assert of_config.model.test_time_augmentation.scales == (1, 1.5) and of_config.settings['tta']
    assert not of_config.finetuner.augment.transforms


def test_the_crf_has_the_settings_of_the_config(cfg):
    assert load_segmenter(cfg(crf=dict(type='DenseCRF', srgb=7.0))).crf is None
    asked = load_segmenter(cfg(crf=dict(type='DenseCRF', srgb=7.0)), crf=True)
    assert isinstance(asked.crf, DenseCRF) and asked.settings['crf'] == dict(type='DenseCRF', srgb=7.0)
    assert isinstance(load_segmenter(cfg(), crf=True).crf, DenseCRF)
    hooks = dict(finetune=FINETUNE, crf=dict(type='CRFHook'))
    assert isinstance(load_segmenter(cfg(default_hooks=hooks)).crf, DenseCRF)


def test_a_config_is_found_from_anywhere_and_never_changed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cfg = find_config('configs/segment_video.py', {'model.width': 0.5})
    assert cfg.model.width == 0.5 and cfg.default_hooks.finetune.finetuner.type == 'OnlineFinetuner'
    (tmp_path / 'own.py').write_text('a = 1')
    assert find_config('own.py').a == 1
    given = Config(dict(a=dict(b=1)))
    assert find_config(given, {'a.b': 2}).a.b == 2 and given.a.b == 1
    with pytest.raises(FileNotFoundError, match='no config at configs/nothing.py'):
        find_config('configs/nothing.py')
