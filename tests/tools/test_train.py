"""A signal to the whole job, workers included, as a terminal and SLURM send it."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

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
default_hooks = dict(logger=dict(interval=1), pictures=None)
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
        wait_for(r'\[ *2/100000\]', log, process)
        os.killpg(process.pid, signal.SIGINT)
        os.killpg(process.pid, signal.SIGTERM)  # what torchrun and SLURM add
        assert process.wait(60) == 75, log.read_text()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    done = int(re.search(r'stopped after iteration (\d+), saved; go on with --resume', log.read_text()).group(1))
    saved = torch.load(tmp_path / f'work_dirs/tiny/iter_{done}.pth', weights_only=True)
    assert done >= 2 and saved['training_state']['data']['position'] == 2 * done
    assert 'Traceback' not in log.read_text()
