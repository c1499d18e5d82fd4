import os

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
    cfg = load_config(config_file, options={'model.width': 0.5, 'randomness.seed': 3})
    assert (cfg.model.width, cfg.model.losses.l1, cfg.randomness.seed) == (0.5, 1, 3)


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


@pytest.fixture
def joins(monkeypatch):
    """What processes were joined through, instead of joining any; on a machine with a GPU or without."""
    calls = []
    monkeypatch.setattr(torch.distributed, 'init_process_group', lambda **given: calls.append(given))
    monkeypatch.setattr('torch.multiprocessing.set_start_method', lambda method: None)
    for name in ('RANK', 'LOCAL_RANK', 'WORLD_SIZE', 'SLURM_PROCID', 'OMPI_COMM_WORLD_LOCAL_RANK', 'MASTER_PORT'):
        monkeypatch.setenv(name, '')  # so that what is set below is unset afterwards
        monkeypatch.delenv(name)

    def join(launcher, device, **environment):
        monkeypatch.setattr(device_utils, 'DEVICE', device)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        join_processes(launcher, timeout=90)
        return [(call['backend'], call['timeout'].total_seconds()) for call in calls]
    return join


SLURM = dict(SLURM_PROCID='3', SLURM_NTASKS='4', SLURM_NODELIST='a', SLURM_LOCALID='1', MASTER_ADDR='a')
MPI = dict(OMPI_COMM_WORLD_LOCAL_RANK='1', OMPI_COMM_WORLD_RANK='3', OMPI_COMM_WORLD_SIZE='4', MASTER_ADDR='a')


@pytest.mark.parametrize('launcher, environment', [
    ('pytorch', dict(RANK='3', LOCAL_RANK='1', WORLD_SIZE='4')), ('slurm', SLURM), ('mpi', MPI)])
def test_processes_without_a_gpu_are_joined_through_gloo(joins, launcher, environment):
    assert joins(launcher, 'cpu', **environment) == [('gloo', 90)]
    assert {name: os.environ[name] for name in ('RANK', 'LOCAL_RANK', 'WORLD_SIZE')} == dict(
        RANK='3', LOCAL_RANK='1', WORLD_SIZE='4')


def test_mmengine_joins_those_with_gpus(joins):
    assert joins('pytorch', 'cuda', RANK='0') == []
    assert joins('mpi', 'cuda', **MPI) == [] and os.environ['LOCAL_RANK'] == '1'  # which mmengine forgets
    assert joins('none', 'cpu') == []


@pytest.mark.parametrize('launcher, missing, starter', [
    ('pytorch', 'RANK', 'torchrun'), ('slurm', 'SLURM_PROCID', 'srun'),
    ('mpi', 'OMPI_COMM_WORLD_LOCAL_RANK', 'mpirun')])
def test_a_launcher_that_did_not_start_this(joins, launcher, missing, starter):
    with pytest.raises(ValueError, match=f'--launcher {launcher}, but {missing} is not set.*{starter}'):
        joins(launcher, 'cpu')


def test_newest_checkpoint(tmp_path):
    torch.save({}, tmp_path / 'iter_2.pth')
    torch.save({}, tmp_path / 'iter_10.pth')
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'iter_2.pth'))
    assert newest_checkpoint(str(tmp_path)) == str(tmp_path / 'iter_2.pth')


@pytest.mark.parametrize('folder', ['', 'gone'])
def test_no_checkpoint(tmp_path, folder):
    with pytest.raises(FileNotFoundError, match='no checkpoint in .*: train first, or name a checkpoint'):
        newest_checkpoint(str(tmp_path / folder))
