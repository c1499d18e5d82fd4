"""The wheel and the sdist as somebody without a checkout has them: in an empty folder, in an environment of its own."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = sorted(f'tempseg-{path.stem.replace("_", "-")}' for path in (ROOT / 'tempseg_mm/commands').glob('*.py')
                  if 'def main(' in path.read_text(encoding='utf-8'))
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == 'nt', reason='paths of a POSIX environment')]


def run(*line, cwd):
    """What a program printed; it must succeed."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in ('PYTHONPATH', 'TEMPSEG_DAVIS_ROOT', 'TEMPSEG_IMAGENET_WEIGHTS')}
    done = subprocess.run([*map(str, line)], cwd=cwd, capture_output=True, text=True, timeout=300,
                          env=dict(environment, OMP_NUM_THREADS='1', NO_COLOR='1'))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope='module')
def built(tmp_path_factory):
    """Folder with the sdist and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp('dist')
    source = folder / 'checkout'  # the build leaves folders beside setup.py
    source.mkdir()
    tracked = run('git', 'ls-files', '--cached', '--others', '--exclude-standard', cwd=ROOT).splitlines()
    for name in tracked:
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    run(sys.executable, '-m', 'build', '--no-isolation', '--outdir', folder, source, cwd=folder)
    return folder


@pytest.fixture(scope='module')
def environment(built, tmp_path_factory):
    """Programs of a virtual environment with the wheel; other packages are found where this Python has them."""
    folder = tmp_path_factory.mktemp('environment')
    venv.create(folder, with_pip=False)
    packages = Path(sysconfig.get_path('purelib', vars=dict(base=str(folder), platbase=str(folder))))
    outer = sysconfig.get_path('purelib')
    packages.joinpath('outer.pth').write_text(f'import site; site.addsitedir({outer!r})\n')
    wheel, = built.glob('*.whl')
    run(sys.executable, '-m', 'pip', '--python', folder / 'bin/python', 'install', '--no-deps', '--no-index', wheel,
        cwd=folder)
    where = run(folder / 'bin/python', '-c', 'import tempseg_mm; print(tempseg_mm.__file__)', cwd=folder)
    assert Path(where.strip()).is_relative_to(packages)  # not the checkout that this Python may have
    return folder / 'bin'


def test_pages_of_an_index_would_show_them(built):
    run(sys.executable, '-m', 'twine', 'check', '--strict', *built.glob('*.whl'), *built.glob('*.tar.gz'), cwd=built)


def test_the_wheel_holds_what_a_run_reads(built):
    wheel, = built.glob('*.whl')
    held = set(zipfile.ZipFile(wheel).namelist())
    for folder in ('configs', 'weights'):
        expected = {f'tempseg_mm/shipped/{path.relative_to(ROOT)}' for path in (ROOT / folder).rglob('*')
                    if path.is_file() and path.suffix != '.pyc'}
        assert expected and expected <= held
    data = {str(path.relative_to(ROOT)) for path in (ROOT / 'tempseg_mm').rglob('*')
            if path.is_file() and path.suffix != '.pyc'}
    assert data - held == set()
    assert not [name for name in held if name.startswith(('tests/', 'tools/', 'benchmarks/'))]


def test_the_sdist_holds_what_a_wheel_is_built_from(built):
    sdist, = built.glob('*.tar.gz')
    held = {name.partition('/')[2] for name in tarfile.open(sdist).getnames()}
    assert {'setup.py', 'README.md', 'LICENSE', 'requirements.txt', 'tools/train.py', 'configs/segment_video.py',
            'docs/concepts.md'} <= held


def test_every_command_is_installed(environment):
    assert sorted(path.name for path in environment.glob('tempseg-*')) == COMMANDS


def test_doctor_finds_weights_and_a_config(environment, tmp_path):
    said = run(environment / 'tempseg-doctor', 'configs/tempseg_synthetic.py', cwd=tmp_path)
    assert 'weights/tempseg_davis_mobilenet.safetensors' in said and 'All is well.' in said
    assert list(tmp_path.iterdir()) == []


def test_a_video_with_the_weights_that_come_with_it(environment, tmp_path):
    frames = np.full((3, 96, 128, 3), 60, np.uint8)
    for i, frame in enumerate(frames):
        frame[30:60, 40 + 4 * i:80 + 4 * i] = (200, 80, 40)
        Image.fromarray(frame).save(tmp_path / f'{i:05d}.jpg')
    mask = np.zeros((96, 128), np.uint8)
    mask[30:60, 40:80] = 255
    Image.fromarray(mask).save(tmp_path / 'mask.png')
    said = run(environment / 'tempseg-segment', '*.jpg', '--mask', 'mask.png', '--steps', 1, '--device', 'cpu',
               '--out', 'out', cwd=tmp_path)
    assert 'out/report.html' in said and len(list((tmp_path / 'out/masks').iterdir())) == 3
    assert 'weights/tempseg_davis_mobilenet.safetensors' in said.splitlines()[-1]


def test_training(environment, tmp_path):
    source = [f'{part}_dataloader.dataset.{option}' for part in ('train', 'test') for option in (
        'data_root=data', 'num_sequences={"train": 2, "test": 1}', 'scene.num_frames=6', 'scene.height=32',
        'scene.width=48', 'size=None')]
    options = ['--device', 'cpu', '--cfg-options', *source, 'model.width=0.0625', 'train_dataloader.num_workers=0',
               'train_dataloader.batch_size=2', 'train_cfg.max_iters=1']
    run(environment / 'tempseg-train', 'configs/tempseg_synthetic.py', *options, cwd=tmp_path)
    assert (tmp_path / 'work_dirs/tempseg_synthetic/iter_1.pth').is_file()
