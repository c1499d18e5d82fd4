import pytest
from mmengine.config import Config

from tempseg_mm.apis.inferencer import VOSInferencer
from tempseg_mm.apis.inferencer.defaults import default_config
from tempseg_mm.models.generator_weights import save_generator
from tempseg_mm.runtime import project_files

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
    segmenter = VOSInferencer(device='cpu').segmenter
    assert segmenter.checkpoint == str(project / WEIGHTS) and segmenter.notices == []
    assert segmenter.settings['checkpoint'] == WEIGHTS and segmenter.settings['weights'] == dict(config='wide.py')
    assert segmenter.finetuner.steps == 3


@pytest.mark.parametrize('checkpoint, options', [('none', None), (None, dict(checkpoint='none')),
                                                 (None, dict(checkpoint='gone.pth'))])
def test_random_numbers_have_a_config_of_their_own(project, checkpoint, options):
    assert steps(default_config(checkpoint, options)) == 9
    inferencer = VOSInferencer(None, checkpoint, 'cpu', cfg_options=options)
    assert inferencer.segmenter.finetuner.steps == 9 and inferencer.segmenter.checkpoint is None
    assert 'No trained weights were given' in inferencer.segmenter.notices[0]
    assert inferencer.segmenter.settings['weights'] is None
    (project / 'configs/segment_video_scratch.py').unlink()
    assert steps(default_config(checkpoint, options)) == 3


def test_weights_that_are_gone_are_no_fault(project):
    (project / WEIGHTS).unlink()
    assert steps(default_config()) == 9


def test_a_config_that_is_named_stays(project):
    for checkpoint, found in ((None, str(project / WEIGHTS)), ('none', None)):
        segmenter = VOSInferencer('configs/segment_video.py', checkpoint, 'cpu').segmenter
        assert segmenter.finetuner.steps == 3 and segmenter.checkpoint == found


def test_a_checkpoint_that_is_named_wins(project, make_model, tmp_path):
    save_generator(make_model(), tmp_path / 'mine.safetensors')
    for arguments in (dict(checkpoint='mine.safetensors'), dict(cfg_options=dict(checkpoint='mine.safetensors'))):
        segmenter = VOSInferencer(device='cpu', **arguments).segmenter
        assert segmenter.checkpoint == 'mine.safetensors' and segmenter.finetuner.steps == 3
    with pytest.raises(FileNotFoundError, match='no weights at gone.safetensors'):
        VOSInferencer(device='cpu', checkpoint='gone.safetensors')


def test_settings_that_do_not_fit_the_weights(project):
    wide = {'model.width': 0.125}
    with pytest.raises(ValueError, match='another architecture.*says of itself: config wide.py. It is the config that '
                                         r"names these weights: name others, or 'none' to start without"):
        VOSInferencer(device='cpu', cfg_options=wide)
    with pytest.raises(ValueError, match=r'says of itself: config wide.py\.$'):
        VOSInferencer(device='cpu', checkpoint=WEIGHTS, cfg_options=wide)
    assert VOSInferencer(None, 'none', 'cpu', cfg_options=wide).segmenter.checkpoint is None
