"""Commands as they are printed: what stands there starts the command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tempseg_mm.runtime.command_names import pydensecrf_install, runnable


@pytest.fixture
def python(tmp_path, monkeypatch):
    """An environment ``.venv`` in the working folder, with tempseg-train and tensorboard."""
    programs = tmp_path / '.venv/bin'
    programs.mkdir(parents=True)
    for name in ('python', 'tempseg-train', 'tensorboard'):
        (programs / name).write_text('#!/bin/sh\necho started "$0" "$@"\n')
        (programs / name).chmod(0o755)
    monkeypatch.setattr(sys, 'executable', str(programs / 'python'))
    monkeypatch.chdir(tmp_path)
    return programs


def started(line):
    return subprocess.run(line, shell=True, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.skipif(os.name == 'nt', reason='programs of a POSIX shell')
def test_a_program_of_the_environment(python):
    line = runnable('train', 'my config.py', '--amp')
    assert line == ".venv/bin/tempseg-train 'my config.py' --amp"
    assert started(line) == 'started .venv/bin/tempseg-train my config.py --amp'
    assert runnable('tensorboard', '--logdir', Path('runs')) == '.venv/bin/tensorboard --logdir runs'


def test_from_another_folder_by_its_whole_path(python, tmp_path, monkeypatch):
    (tmp_path / 'elsewhere').mkdir()
    monkeypatch.chdir(tmp_path / 'elsewhere')
    assert runnable('train') == f'{python}/tempseg-train'


def test_in_an_active_environment_by_its_name(python, monkeypatch):
    monkeypatch.setenv('PATH', str(python), prepend=os.pathsep)
    assert runnable('train', 'a.py') == 'tempseg-train a.py'


def test_where_none_is_installed_through_python(python):
    assert runnable('check_dataset', 'a.py') == '.venv/bin/python -m tempseg_mm.commands.check_dataset a.py'
    (python / 'tensorboard').unlink()
    assert runnable('tensorboard', '--logdir', 'x') == '.venv/bin/python -m tensorboard.main --logdir x'


def test_this_very_python_starts_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('PYTHONPATH', str(Path(__file__).resolve().parents[2]))
    assert '--amp' in started(runnable('train', '--help'))


@pytest.mark.parametrize('version, words', [((3, 12, 1), 'install pydensecrf2'), ((3, 13, 0), "'cython>=3.1'")])
def test_pydensecrf_is_built_by_a_cython_that_knows_this_python(version, words, monkeypatch):
    monkeypatch.setattr(sys, 'version_info', version)
    assert words in pydensecrf_install()
