"""tools/test.py as a process that is stopped from outside and then resumed."""

import os
import runpy
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_sigterm_keeps_finished_sequences_and_resume_goes_on(tiny_config, tmp_path, monkeypatch):
    config = tmp_path / 'tiny.py'
    tiny_config(**{'default_hooks.finetune.finetuner.steps': 15, 'test_evaluator.measures': ['J', 'F']}).dump(config)
    records = tmp_path / 'cut/sequences'

    def arguments(out):
        folders = ['--work-dir', str(tmp_path / 'work'), '--out', str(tmp_path / out)]
        return ['tools/test.py', str(config), 'none', *folders]
    process = subprocess.Popen([sys.executable, *arguments('cut')], cwd=ROOT, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True, env=dict(os.environ, OMP_NUM_THREADS='1'))
    end = time.monotonic() + 100
    while not (records / 'test_000.json').exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    process.terminate()
    _, text = process.communicate(timeout=30)
    assert process.returncode == 75, text
    assert 'stopped by SIGTERM: finished sequences are kept; go on with --resume' in text
    assert [path.name for path in records.iterdir()] == ['test_000.json']
    assert not (tmp_path / 'cut/scores.json').exists()

    before = (records / 'test_000.json').stat().st_mtime_ns
    for more in (arguments('cut') + ['--resume'], arguments('whole')):
        monkeypatch.setattr(sys, 'argv', more)
        runpy.run_path(str(ROOT / 'tools/test.py'))['main']()
    assert (records / 'test_000.json').stat().st_mtime_ns == before
    cut, whole = ({str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob('*.*')}
                  for folder in (tmp_path / 'cut', tmp_path / 'whole'))
    assert cut == whole and len(whole) == 12 + 2 + 2
