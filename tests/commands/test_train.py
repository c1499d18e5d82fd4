"""Arguments that reach the config, what is refused, and a signal to the whole job as a terminal and SLURM send it."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from mmengine.device import utils as device_utils

from tempseg_mm.runtime.command_names import runnable

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
_base_ = {base!r}
source = dict(
    data_root={root!r}, num_sequences=dict(train=2, test=2), size=None,
    scene=dict(_delete_=True, num_frames=6, height=32, width=48, max_speed=1.5))
model = dict(width=0.0625)
train_dataloader = dict(batch_size=2, num_workers=2, dataset=source)
test_dataloader = dict(dataset=source)
train_cfg = dict(max_iters=100000)
default_hooks = dict(progress=dict(interval=0), pictures=None)
"""


def wait_for(pattern, log, process, seconds=100):
    end = time.monotonic() + seconds
    while not re.search(pattern, log.read_text()):
        assert process.poll() is None and time.monotonic() < end, log.read_text()
        time.sleep(0.05)


@pytest.mark.skipif(os.name == 'nt', reason='Windows has other signals')
def test_a_signal_to_all_processes_saves_and_ends_with_75(synthetic_root, tmp_path):
    config, log = tmp_path / 'tiny.py', tmp_path / 'log.txt'
    config.write_text(CONFIG.format(base=str(ROOT / 'configs/tempseg_synthetic.py'), root=synthetic_root))
    environment = dict(os.environ, OMP_NUM_THREADS='1', OMP_WAIT_POLICY='PASSIVE', PYTHONPATH=str(ROOT))
    with open(log, 'w') as output:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / 'tools/train.py'), str(config)], cwd=tmp_path, env=environment,
            stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        wait_for('iteration 1 of 100000', log, process)
        os.killpg(process.pid, signal.SIGINT)
        os.killpg(process.pid, signal.SIGTERM)  # what torchrun and SLURM add
        assert process.wait(60) == 75, log.read_text()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    done = int(re.search(r'stopped after iteration (\d+), saved; continue with --resume', log.read_text()).group(1))
    saved = torch.load(tmp_path / f'work_dirs/tiny/iter_{done}.pth', weights_only=True)
    assert done >= 1 and saved['training_state']['data']['position'] == 2 * done
    assert 'Traceback' not in log.read_text()


def test_train_arguments_reach_the_config(command, config_file, built, monkeypatch):
    monkeypatch.setattr(device_utils, 'DEVICE', 'cuda')
    path = config_file()
    command('train', path, '--work-dir', 'w', '--amp', '--device', 'cpu', '--cfg-options', 'train_cfg.max_iters=7')
    command('train', path, '--resume')
    command('train', path, '--resume', 'some.pth', '--deterministic')
    first, auto, named = built
    assert first.work_dir == 'w' and first.train_cfg.max_iters == 7 and not first.resume
    assert first.model.compute == dict(amp=True)
    assert device_utils.DEVICE == 'cpu'
    assert auto.resume and auto.load_from is None and not auto.randomness.get('deterministic')
    assert 'compute' not in auto.model
    assert named.resume and named.load_from == 'some.pth' and named.randomness == dict(seed=0, deterministic=True)


def test_its_last_lines_are_commands_that_go_on(command, config_file, monkeypatch, tmp_path):
    from tempseg_mm.apis import training
    lines = {}
    monkeypatch.setattr(training, 'run_training', lambda cfg, **found: lines.update(found))
    monkeypatch.chdir(tmp_path)
    config_file()
    command('train', 'tiny.py', '--amp', '--work-dir', 'w', '--cfg-options', 'model.width=0.25')
    more = 'tiny.py --work-dir w --cfg-options model.width=0.25'
    assert lines == dict(then=runnable('test', *more.split()), again=runnable(
        'train', *more.replace('tiny.py', 'tiny.py --resume --amp').split()))
    command('train', 'tiny.py', '--work-dir', 'w', '--cfg-options', 'checkpoint=weights/some.pth')
    assert 'tiny.py w --work-dir w' in lines['then']  # a test would take other weights than those of this training
    command('train', 'tiny.py', '--cfg-options', 'test_dataloader=None', 'test_cfg=None', 'test_evaluator=None')
    assert lines['then'] is None


def test_train_ends_with_the_code_of_the_run(command, config_file, monkeypatch):
    from tempseg_mm.apis import training
    monkeypatch.setattr(training, 'run_training', lambda cfg, **lines: 75)
    with pytest.raises(SystemExit) as end:
        command('train', config_file())
    assert end.value.code == 75


def test_missing_config(refused, tmp_path):
    assert re.search('no config at .*gone.py', refused('train', tmp_path / 'gone.py'))


def test_missing_data(refused, config_file, tmp_path):
    path = config_file(**{'train_dataloader.dataset': dict(
        _delete_=True, type='DAVISDataset', data_root=str(tmp_path / 'gone'), split='train')})
    assert re.search('data root .*gone.* is not a folder.*configs/tempseg_synthetic.py', refused('train', path))


def test_an_unknown_component_is_answered_with_the_nearest(refused, config_file):
    said = refused('train', config_file(), '--cfg-options', 'model.losses.itsd.type=ITSDLos')
    assert "error: 'ITSDLos' is not a registered model; did you mean ITSDLoss" in said.splitlines()[-1]
