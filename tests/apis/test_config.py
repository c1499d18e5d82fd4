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
    with pytest.raises(FileNotFoundError, match=r'no config at .*gone\.py: the configs .* are in .*configs'):
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
    for name in ('RANK', 'LOCAL_RANK', 'WORLD_SIZE', 'SLURM_PROCID', 'SLURM_LOCALID', 'OMPI_COMM_WORLD_LOCAL_RANK',
                 'MASTER_ADDR', 'MASTER_PORT'):
        monkeypatch.setenv(name, '')  # so that what is set below is unset afterwards
        monkeypatch.delenv(name)

    def join(launcher, device, **environment):
        monkeypatch.setattr(device_utils, 'DEVICE', device)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        join_processes(launcher, timeout=90)
        return [(call['backend'], call['timeout'].total_seconds()) for call in calls]
    return join


SLURM = dict(SLURM_PROCID='3', SLURM_NTASKS='4', SLURM_NODELIST='n[1-2]', SLURM_LOCALID='1', MASTER_ADDR='a')
MPI = dict(OMPI_COMM_WORLD_LOCAL_RANK='1', OMPI_COMM_WORLD_RANK='3', OMPI_COMM_WORLD_SIZE='4', MASTER_ADDR='a')


@pytest.mark.parametrize('launcher, environment', [
    ('pytorch', dict(RANK='3', LOCAL_RANK='1', WORLD_SIZE='4', MASTER_ADDR='a')), ('slurm', SLURM), ('mpi', MPI)])
def test_processes_without_a_gpu_are_joined_through_gloo(joins, launcher, environment):
    assert joins(launcher, 'cpu', **environment) == [('gloo', 90)]
    names = ('RANK', 'LOCAL_RANK', 'WORLD_SIZE', 'MASTER_ADDR', 'MASTER_PORT')
    assert {name: os.environ[name] for name in names} == dict(
        RANK='3', LOCAL_RANK='1', WORLD_SIZE='4', MASTER_ADDR='a', MASTER_PORT='29500')


def test_slurm_is_asked_where_the_first_process_runs(joins, tmp_path, monkeypatch):
    (tmp_path / 'scontrol').write_text('#!/bin/sh\n[ "$*" = "show hostnames n[1-2]" ] && printf "n1\\nn2\\n"\n')
    (tmp_path / 'scontrol').chmod(0o755)
    monkeypatch.setenv('PATH', f'{tmp_path}{os.pathsep}{os.environ["PATH"]}')
    variables = {name: value for name, value in SLURM.items() if name != 'MASTER_ADDR'}
    assert joins('slurm', 'cpu', **variables, MASTER_PORT='1234') == [('gloo', 90)]
    assert (os.environ['MASTER_ADDR'], os.environ['MASTER_PORT']) == ('n1', '1234')


def test_mpi_does_not_say_where_the_first_process_runs(joins):
    with pytest.raises(ValueError, match='mpirun of Open MPI does not say where rank 0 runs: set MASTER_ADDR'):
        joins('mpi', 'cpu', **{name: value for name, value in MPI.items() if name != 'MASTER_ADDR'})


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
