import pytest
import torch
from mmengine.device import utils as device_utils

from tempseg_mm.apis.config import join_processes, load_config, newest_checkpoint, use_device


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / 'mine.py'
    path.write_text('model = dict(width=1.0, losses=dict(l1=1))\n')
    return str(path)


def test_work_dir_is_named_after_the_config(config_file):
    assert load_config(config_file).work_dir == 'work_dirs/mine'
    assert load_config(config_file, work_dir='runs/a').work_dir == 'runs/a'


def test_the_configs_own_work_dir_counts_unless_another_is_asked_for(tmp_path):
    path = tmp_path / 'own.py'
    path.write_text("work_dir = 'from/config'\n")
    assert load_config(str(path)).work_dir == 'from/config'
    assert load_config(str(path), work_dir='runs/a').work_dir == 'runs/a'


def test_options_are_merged(config_file):
    cfg = load_config(config_file, options={'model.width': 0.5, 'added': 3})
    assert (cfg.model.width, cfg.model.losses.l1, cfg.added) == (0.5, 1, 3)


def test_a_hook_is_switched_off_by_none(config_file):
    options = {'default_hooks.overlays': None, 'default_hooks.results': dict(type='ResultHook'),
               'default_hooks.checkpoint': None}
    hooks = load_config(config_file, options=options).default_hooks
    assert set(hooks) == {'results', 'checkpoint'}  # mmengine deletes its own when it sees None
    assert hooks.checkpoint is None


def test_missing_config(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'no config at .*gone\.py; .* lie in configs/'):
        load_config(str(tmp_path / 'gone.py'))


def test_device(monkeypatch):
    monkeypatch.setattr(device_utils, 'DEVICE', 'cuda')
    use_device(None)
    assert device_utils.get_device() == 'cuda'
    use_device('cpu')
    assert device_utils.get_device() == 'cpu'


@pytest.mark.parametrize('launcher, cuda, joined', [
    ('pytorch', False, ['gloo']), ('pytorch', True, []), ('none', False, []), ('slurm', False, [])])
def test_processes_are_joined_here_only_where_mmengine_cannot(monkeypatch, launcher, cuda, joined):
    calls = []
    monkeypatch.setattr(torch.distributed, 'init_process_group', calls.append)
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: cuda)
    join_processes(launcher)
    assert calls == joined


def test_newest_checkpoint(tmp_path):
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'iter_2.pth'))
    assert newest_checkpoint(str(tmp_path)) == str(tmp_path / 'iter_2.pth')


@pytest.mark.parametrize('folder', ['', 'gone'])
def test_no_checkpoint(tmp_path, folder):
    with pytest.raises(FileNotFoundError, match='no checkpoint in .*: train first, or name a checkpoint'):
        newest_checkpoint(str(tmp_path / folder))
