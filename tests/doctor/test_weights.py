import sys

import pytest
from mmengine.config import Config

from tempseg_mm.doctor.weights import check_weights
from tempseg_mm.models.generator_weights import save_generator
from tempseg_mm.runtime import project_files

NAMED = 'weights/shipped.safetensors'


@pytest.fixture
def found(tmp_path, model_cfg, monkeypatch):
    """What is found in a project whose default config names these weights."""
    monkeypatch.setattr(project_files, 'ROOT', tmp_path)

    def look(named=NAMED, model=model_cfg):
        (tmp_path / 'configs').mkdir(exist_ok=True)
        Config(dict(model=model, checkpoint=named)).dump(tmp_path / 'configs/segment_video.py')
        check, = check_weights()
        assert check.name == 'weights'
        return check
    monkeypatch.chdir(tmp_path.parent)
    return look


def test_weights_that_load(found, make_model, tmp_path):
    save_generator(make_model(), tmp_path / NAMED, metadata=dict(config='small.py'))
    check = found()
    assert check.state == 'ok' and check.text.startswith(f'{NAMED} (0.')
    assert check.text.endswith('MB) loads, trained with small.py')


@pytest.mark.parametrize('named', [None, 'newest', 'none'])
def test_a_project_without_weights(found, named):
    check = found(named)
    assert (check.state, check.is_fault) == ('note', False) and 'starts from scratch' in check.text


def test_weights_that_are_gone_can_be_done_without(found):
    check = found()
    assert (check.state, check.is_fault, check.remedy) == ('missing', False, f'git checkout -- {NAMED}')
    assert check.text == f'there is no {NAMED}: tempseg-segment starts from scratch (random initialisation)'


def test_weights_of_another_network_or_damaged(found, make_model, tmp_path):
    save_generator(make_model(width=0.125), tmp_path / NAMED)
    check = found()
    assert check.is_fault and 'another architecture' in check.text and '--checkpoint none' in check.remedy
    (tmp_path / NAMED).write_bytes(b'version https://git-lfs.github.com/spec/v1')
    check = found()
    assert check.is_fault and 'it is damaged' in check.text
    assert found(model=dict(type='TempSegGAM', generator=dict())).is_fault


def test_a_project_that_cannot_be_imported(found, monkeypatch):
    monkeypatch.setitem(sys.modules, 'tempseg_mm.apis.export', None)
    check = found()
    assert (check.state, check.text) == ('note', 'unknown, the project cannot be imported (ModuleNotFoundError)')
