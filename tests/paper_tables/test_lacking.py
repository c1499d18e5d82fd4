import pytest
from mmengine.config import Config

from tempseg_mm.paper_tables import lacking
from tempseg_mm.paper_tables.lacking import Lacking, lacking_data, lacking_variables, lacking_weights
from tempseg_mm.paper_tables.rows import Row


def config(root, checkpoint=None, split='test'):
    dataset = dict(type='DAVISDataset', data_root=str(root), resolution='32p', split=split, pipeline=['gone'])
    return Config(dict(
        train_dataloader=dict(dataset=dataset), test_dataloader=dict(dataset=dict(dataset, test_mode=True)),
        model=dict(parts=[dict(init_cfg=checkpoint and dict(type='ImageNetWeights', checkpoint=str(checkpoint)))])))


def test_variables(monkeypatch):
    row = Row('a', 'a', needs=(('SOME_ROOT', 'a folder'), ('OTHER', 'a file')))
    monkeypatch.setenv('OTHER', 'x')
    monkeypatch.delenv('SOME_ROOT', raising=False)
    assert lacking_variables(row) == ['SOME_ROOT (a folder)'] and lacking_variables(Row('b', 'b')) == []


def test_data(synthetic_root, tmp_path):
    assert lacking_data(config(synthetic_root), 'test') is None and lacking_data(Config(dict()), 'train') is None
    assert f"data root '{tmp_path}/gone' is not a folder" in lacking_data(config(tmp_path / 'gone'), 'train')
    assert "unknown split 'devel'" in lacking_data(config(synthetic_root, split='devel'), 'test')


def test_weights(tmp_path):
    assert lacking_weights(config('')) is None
    assert f'no weights at {tmp_path}/w.pth' in lacking_weights(config('', tmp_path / 'w.pth'))
    (tmp_path / 'w.pth').touch()
    assert lacking_weights(config('', tmp_path / 'w.pth')) is None


def test_a_row_is_asked_for_what_its_runs_read(synthetic_root, tmp_path):
    here, away, bare = config(synthetic_root), config(tmp_path), config(synthetic_root, '/nowhere/w.pth')
    assert Lacking().reason(here, here, trains=True) is None
    assert 'ImageSets' in Lacking().reason(away, None, trains=False)
    assert 'ImageSets' in Lacking().reason(here, away, trains=True)
    assert Lacking().reason(here, away, trains=False) is None  # its test alone starts from fresh weights
    assert 'no weights at' in Lacking().reason(here, bare, trains=False)
    assert Lacking().reason(bare, None, trains=False) is None  # it is trained


def test_the_same_is_asked_for_once(synthetic_root, monkeypatch):
    asked = []
    monkeypatch.setattr(lacking, 'lacking_data', lambda cfg, part: asked.append(part))
    look = Lacking()
    for _ in range(2):
        assert look.reason(config(synthetic_root), config(synthetic_root), trains=True) is None
    assert asked == ['test', 'train']


@pytest.mark.parametrize('kind', [OSError, ValueError])
def test_what_the_user_can_mend_is_a_reason(synthetic_root, monkeypatch, kind):
    def fail(cfg):
        raise kind('broken')
    monkeypatch.setattr(lacking.DATASETS, 'build', fail)
    assert lacking_data(config(synthetic_root), 'test') == 'broken'
