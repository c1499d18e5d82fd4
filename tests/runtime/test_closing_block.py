import shlex
import subprocess
from pathlib import Path

import pytest

from tempseg_mm.runtime import closing_block as module
from tempseg_mm.runtime.closing_block import closing_block, seen_from_here, tensorboard_command


@pytest.fixture
def here(tmp_path, monkeypatch):
    folder = tmp_path / 'some' / 'working folder'
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def test_names_are_aligned_paths_seen_from_here_text_as_it_is_and_nothing_left_out(here):
    text = closing_block({'page': here / 'test/report.html', 'log': None, 'checkpoint': Path('runs/iter_1.pth'),
                          'next': f'python {here}'})
    assert text.splitlines() == ['page        test/report.html', 'checkpoint  runs/iter_1.pth',
                                 f'next        python {here}']
    assert closing_block({}) == ''


def test_a_path_is_as_short_as_it_is_true(here):
    assert seen_from_here(here / 'a b/c') == 'a b/c'
    assert seen_from_here(here) == '.'
    assert seen_from_here(here.parent / 'beside') == '../beside'
    assert seen_from_here('/x') == '/x'  # and not ../../../x


@pytest.mark.parametrize('kind', ['found by its name', 'beside the Python that runs', 'not installed as a command'])
def test_the_tensorboard_line_runs_as_pasted(here, monkeypatch, kind):
    bin_folder = here / 'env' / 'bin'
    bin_folder.mkdir(parents=True)
    for name in ('python', 'tensorboard'):
        (bin_folder / name).write_text('#!/bin/sh\necho "$0" "$@"\n')
        (bin_folder / name).chmod(0o755)
    if kind == 'not installed as a command':
        (bin_folder / 'tensorboard').unlink()
    path = f'{bin_folder}:/usr/bin:/bin' if kind == 'found by its name' else '/usr/bin:/bin'
    monkeypatch.setenv('PATH', path)
    monkeypatch.setattr(module.sys, 'executable', str(bin_folder / 'python'))
    line = tensorboard_command(here / 'my runs')
    said = subprocess.run(line, shell=True, capture_output=True, text=True, check=True).stdout.strip()
    expected = {'found by its name': ('tensorboard', ''), 'beside the Python that runs': ('env/bin/tensorboard', ''),
                'not installed as a command': ('env/bin/python', '-m tensorboard.main ')}[kind]
    assert shlex.split(line)[0] == expected[0]
    assert said.endswith(f'{expected[1]}--logdir my runs')


def test_a_program_in_the_working_folder_is_named_with_its_folder(here, monkeypatch):
    monkeypatch.setattr(module.sys, 'executable', str(here / 'python'))
    monkeypatch.setenv('PATH', '/usr/bin')
    assert tensorboard_command('runs') == './python -m tensorboard.main --logdir runs'


def test_the_tensorboard_of_this_environment_answers():
    start = shlex.split(tensorboard_command('.'))[:-2]
    assert 'tensorboard' in start[-1]
    subprocess.run([*start, '--version'], check=True, capture_output=True, timeout=100)
