"""tempseg-doctor: one screen, its status, and that nothing missing kills it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def call(command, capsys):
    """Runs the tool with these arguments; returns its exit status and what it printed."""
    def run(*arguments):
        try:
            command('doctor', *arguments)
            status = 0
        except SystemExit as end:
            status = end.code
        return status, capsys.readouterr().out
    return run


def test_all_is_well_on_one_screen(call):
    status, text = call(ROOT / 'configs/tempseg_synthetic.py', '--data', 'none')
    assert status == 0 and text.endswith('All is well.\n')
    assert len(text.splitlines()) < 50
    for word in ('torch ', 'GPU', 'overlays', 'disk', 'types'):
        assert word in text


def test_faults_make_the_status(call, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'tensorboard', None)
    path = tmp_path / 'mine.py'
    path.write_text(f"_base_ = '{ROOT}/configs/tempseg_synthetic.py'\nmodel = dict(type='TempSegGAM')\n")
    status, text = call(path, '--data', 'none')
    assert status == 1
    assert text.endswith('2 fault(s): tensorboard, model\n')
    text = ' '.join(text.split())  # lines are as long as the terminal is wide
    assert "-m pip install 'tensorboard>=2.14'" in text and 'did you mean TempSegGAN' in text


def test_help(call):
    status, text = call('--help')
    assert status == 0 and 'examples:' in text and '--data' in text
    assert all((ROOT / word).is_file() for word in text.split() if word.startswith('configs/') and word.endswith('.py'))


def test_with_nothing_installed_it_says_so():
    code = ("import sys, runpy\n"
            "for name in ('torch', 'mmengine', 'mmcv', 'cv2', 'numpy', 'PIL'): sys.modules[name] = None\n"
            f"sys.path.insert(0, {str(ROOT / 'tools')!r})\n"
            f"sys.argv = ['doctor.py', {str(ROOT / 'configs/tempseg_synthetic.py')!r}]\n"
            f"runpy.run_path({str(ROOT / 'tools/doctor.py')!r}, run_name='__main__')\n")
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    assert "-m pip install 'torch>=2.4'" in done.stdout and "-m pip install 'mmengine>=0.10.7'" in done.stdout
    assert 'does not load' in ' '.join(done.stdout.split())  # lines are wrapped where the checkout's path ends
