import shlex
import subprocess
from pathlib import Path

import pytest

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


def test_the_tensorboard_of_this_environment_answers(here):
    *start, option, folder = shlex.split(tensorboard_command(here / 'my runs'))
    assert (option, folder) == ('--logdir', 'my runs') and 'tensorboard' in start[-1]
    subprocess.run([*start, '--version'], check=True, capture_output=True, timeout=100)
