"""The commands as they are typed: trained, resumed and tested on the tiny data set. Only this file starts processes."""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
CRF = ['--crf'] if find_spec('pydensecrf') else []  # Python 3.13 has it only where it was built by hand


def run(tool, *arguments, cwd):
    """The finished process of ``python tools/<tool>.py``."""
    environment = dict(os.environ, OMP_NUM_THREADS='1', OMP_WAIT_POLICY='PASSIVE', PYTHONPATH=str(ROOT))
    command = [sys.executable, str(ROOT / f'tools/{tool}.py'), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120)


def succeeded(process):
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout + process.stderr


@pytest.fixture(scope='module')
def folder(tmp_path_factory, synthetic_root):
    """Where the commands are typed; holds tiny.py, ``configs/tempseg_synthetic.py`` on the tiny data set."""
    folder = tmp_path_factory.mktemp('project')
    (folder / 'tiny.py').write_text(f"""
_base_ = {str(ROOT / 'configs/tempseg_synthetic.py')!r}
source = dict(
    data_root={synthetic_root!r}, num_sequences=dict(train=2, test=2), size=None,
    scene=dict(_delete_=True, num_frames=6, height=32, width=48, max_speed=1.5))
model = dict(width=0.0625)
train_dataloader = dict(batch_size=2, num_workers=0, dataset=source)
test_dataloader = dict(dataset=source)
train_cfg = dict(max_iters=2)
default_hooks = dict(checkpoint=dict(interval=1), logger=dict(interval=1))
""")
    return folder


@pytest.fixture(scope='module')
def trained(folder):
    """What ``train.py`` printed; its work dir is work_dirs/tiny."""
    return succeeded(run('train', 'tiny.py', '--cfg-options', 'model.losses.l1.loss_weight=0.3', cwd=folder))


@pytest.fixture(scope='module')
def resumed(folder, trained):
    """What going on by one iteration printed."""
    return succeeded(run('train', 'tiny.py', '--resume', '--cfg-options', 'train_cfg.max_iters=3', cwd=folder))


def test_train_writes_checkpoints_logs_and_pictures(folder, trained):
    work_dir = folder / 'work_dirs/tiny'
    assert {'iter_1.pth', 'iter_2.pth', 'last_checkpoint', 'tiny.py'} <= {path.name for path in work_dir.iterdir()}
    log, = work_dir.rglob('*.log')
    assert re.search(r'Iter\(train\) +\[2/2\].*loss_itsd: \d.*loss_g: \d', log.read_text())
    assert 'loss_weight=0.3' in (work_dir / 'tiny.py').read_text()
    scalars, = work_dir.rglob('scalars.json')
    steps = [json.loads(line) for line in scalars.read_text().splitlines()]
    assert [step['step'] for step in steps] == [1, 2] and {'d_acc_real', 'loss_l_iftl'} <= steps[0].keys()
    assert list(work_dir.rglob('events.out.tfevents*')) and list(work_dir.rglob('vis_image/*.png'))


def test_the_terminal_has_what_a_person_needs_and_the_log_file_everything(folder, trained):
    log, = (folder / 'work_dirs/tiny').rglob('*.log')
    lines, everything = trained.splitlines(), log.read_text()
    *told, empty, checkpoint, log_line, curves, then = lines
    texts = [re.fullmatch(r'\d\d:\d\d:\d\d  (.*)', line).group(1) for line in told]
    assert texts[0].startswith('training tiny.py on ')
    assert texts[1].startswith('writing to work_dirs/tiny; settings and all numbers are in work_dirs/tiny/')
    assert re.match(r'iteration 2 of 2 \(100%\): loss_g \d.*, eta 0:00:00\)$', texts[-1]) and len(texts) == 3
    assert checkpoint.split() == ['checkpoint', 'work_dirs/tiny/iter_2.pth'] and not empty
    assert log_line.split() == ['log', str(log.relative_to(folder))]
    for kept_back in ('System environment', 'Config:', 'Hooks will be executed', 'Checkpoints will be saved',
                      'loss_itsd:', 'will be deprecated'):
        assert kept_back in everything and kept_back not in trained
    for line in (*texts, checkpoint, then):
        assert line in everything
    pasted = subprocess.run(f'{curves.split(maxsplit=1)[1]} --version', shell=True, cwd=folder, capture_output=True,
                            text=True)
    assert pasted.returncode == 0, pasted.stderr


def test_the_line_to_run_next_works_as_pasted_with_the_settings_of_the_training(folder, trained):
    then = trained.splitlines()[-1]
    assert then.startswith('next ') and 'model.losses.l1.loss_weight=0.3' in then
    environment = dict(os.environ, OMP_NUM_THREADS='1', OMP_WAIT_POLICY='PASSIVE', PYTHONPATH=str(ROOT))
    tested = subprocess.run(f'{then.split(maxsplit=1)[1]} default_hooks.finetune=None', shell=True, cwd=folder,
                            env=environment, capture_output=True, text=True, timeout=120)
    assert 'weights: work_dirs/tiny/iter_2.pth (after iteration 2)' in succeeded(tested)


def test_resume_goes_on(folder, resumed):
    assert 'training resumes after iteration 2, from work_dirs/tiny/iter_2.pth' in resumed
    assert 'iteration 3 of 3' in resumed and not re.search(r'iteration [12] of 3', resumed)
    logs = sorted((folder / 'work_dirs/tiny').glob('2*/*.log'))  # of trainings; that of a test lies in its folder
    assert re.findall(r'Iter\(train\) +\[(\d)/3\]', logs[-1].read_text()) == ['3']
    checkpoint = torch.load(folder / 'work_dirs/tiny/iter_3.pth', weights_only=True)
    assert checkpoint['meta']['iter'] == 3
    assert checkpoint['optimizer']['generator']['state'][0]['step'] == 3  # Adam went on counting


def test_test_takes_the_newest_checkpoint_and_meets_the_baselines(folder, resumed):
    output = succeeded(run(
        'test', 'tiny.py', '--baselines', '--tta', *CRF, '--sequences', 'test_001', '--out', 'out',
        '--show-dir', 'show', '--cfg-options', 'default_hooks.finetune.finetuner.steps=2', cwd=folder))
    assert 'iter_3.pth' in output
    assert re.search(r'test_001: J .*; fine-tuned on 2 masks, 2 steps in [\d.]+ s, IoU on them', output)
    rows = re.findall(r'^\| (.+?) +\|(?: +[\d.]+ \|){3}$', output, re.MULTILINE)
    assert rows == [
        'tiny', 'copying the last given mask', 'moving the mask along the flow', 'untrained, same fine-tuning']
    assert set(json.loads((folder / 'out/scores.json').read_text())['sequences']) == {'test_001'}
    masks = sorted((folder / 'out/masks').rglob('*.png'))
    assert [path.parent.name + '/' + path.name for path in masks] == [f'test_001/{i:05d}.png' for i in range(6)]
    assert np.asarray(Image.open(masks[0])).shape == (32, 48)
    assert {path.name for path in (folder / 'show').iterdir()} == {'test_001.webm', 'test_001.png'}
