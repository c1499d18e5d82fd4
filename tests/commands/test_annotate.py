"""The command as it is typed, in this process, up to Ctrl-C; what the page does stands in tests/annotator."""

import os
import re
import signal
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from annotator.small_page import Client
from PIL import Image

from tempseg_mm.annotator import PageServer
from tempseg_mm.runtime.closing_block import seen_from_here

ROOT = Path(__file__).resolve().parents[2]
TINY = ('--config', str(ROOT / 'configs/segment_video_scratch.py'), '--checkpoint', 'none', '--device', 'cpu',
        '--steps', 1, '--size', 32, '--cfg-options', 'model.width=0.0625')


@pytest.fixture
def shot(tmp_path, make_sequence):
    """A folder of four frames, and the mask of the first."""
    (tmp_path / 'shot').mkdir()
    sequence = make_sequence(4)
    for i, frame in enumerate(sequence.frames):
        Image.fromarray(frame).save(tmp_path / f'shot/{i:05d}.png')
    Image.fromarray(255 * sequence.masks[0]).save(tmp_path / 'first.png')
    return tmp_path


@pytest.fixture
def visitor(monkeypatch):
    """In place of a browser: asks for the state, and ends the command as Ctrl-C does."""
    states = []

    def visit(server):
        def look():
            try:
                states.append(Client(server.address).ask('GET', 'api/state').body)
            finally:
                os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=look).start()
    monkeypatch.setattr(PageServer, 'open_browser', visit)
    return states


def test_from_the_first_mask_to_ctrl_c_and_on(command, shot, visitor, capsys):
    line = ('annotate', shot / 'shot', '--out', shot / 'out', '--mask', f'{shot}/first.png@2', '--start', 1, *TINY)
    command(*line)
    said, out = capsys.readouterr().out, seen_from_here(shot / 'out')
    assert re.search(rf'^writing to {out}$', said, re.MULTILINE)
    assert re.search(r'^page     http://127\.0\.0\.1:\d+/[\w-]{24}/$', said, re.MULTILINE)
    assert f'everything is in {out}; the same command continues' in said
    state, = visitor
    assert (state['name'], state['start'], state['num_frames'], state['given']) == ('shot', 1, 3, {'2': [1]})
    assert (state['device'], state['steps']) == ('cpu', 1)
    assert not (shot / 'out/.page').exists() and not list((shot / 'out').glob('*.lock*'))

    drawn = np.asarray(Image.open(shot / 'out/masks/00002.png')).copy()
    command(*line)
    assert 'note: ' in (said := capsys.readouterr().out) and '--mask and --box are ignored' in said
    assert visitor[1]['given'] == {'2': [1]}
    np.testing.assert_array_equal(np.asarray(Image.open(shot / 'out/masks/00002.png')), drawn)


def test_without_the_packages_of_the_page(refused, shot, monkeypatch):
    monkeypatch.setitem(sys.modules, 'uvicorn', None)
    for name in [name for name in sys.modules if name.startswith('tempseg_mm.annotator')]:
        monkeypatch.delitem(sys.modules, name)
    said = refused('annotate', shot / 'shot', '--out', shot / 'out', *TINY)
    assert 'uvicorn' in said and re.search(
        "but the annotation page needs it. .*-m pip install 'starlette>=.*' 'uvicorn>=.*'$", said.strip())
    assert not (shot / 'out').exists()


@pytest.mark.parametrize('arguments, words', [
    (['nothing.mp4'], "there is no video file or folder of frames 'nothing.mp4'"),
    (['shot', '--port', '70000'], 'port 70000 cannot be used'),
    (['shot', '--mask', 'nothing.png'], 'nothing.png'),
])
def test_what_is_wrong_is_said_in_one_line(refused, shot, monkeypatch, arguments, words):
    monkeypatch.chdir(shot)
    assert words in refused('annotate', *arguments, '--out', 'out', '--no-browser', *TINY)
