"""The scripts of docs/examples run as a newcomer runs them, with less of everything."""

import re
import runpy
import sys
from pathlib import Path

import numpy as np
from PIL import Image

EXAMPLES = Path(__file__).resolve().parents[1] / 'docs' / 'examples'


def test_every_example_is_run_here():
    assert {path.name for path in EXAMPLES.glob('*.py')} == {'segment_with_the_api.py'}


def test_segment_with_the_api(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'argv', ['segment_with_the_api.py', '--steps', '1', '--frames', '4'])
    example = runpy.run_path(str(EXAMPLES / 'segment_with_the_api.py'))
    example['main']()
    said = capsys.readouterr().out

    out = tmp_path / 'work_dirs/segment_with_the_api'
    masks = np.load(out / 'masks.npz')['masks']
    _, labels = example['render'](4)
    assert masks.shape == (4, 128, 224) and masks.dtype == np.uint8
    np.testing.assert_array_equal(masks[0], labels[0])
    assert set(np.unique(labels[0])) == {0, 1, 2}
    assert {path.name for path in (out / 'two_objects').iterdir()} == {
        '.session', 'given', 'masks', 'overlay.webm', 'report.html', 'result.json'}
    assert re.search(r'J of object 2: \d\.\d{3}\n', said)
    assert 'No trained weights' not in said  # those that come with the project were found
    assert float(re.search(r'IoU with the true one (\d\.\d\d)', said).group(1)) > 0.8
    assert set(np.unique(np.asarray(Image.open(out / 'box/given/00000.png')))) == {0, 1}
    assert len(re.search(r'frames of the stream: \[(.+)\]', said).group(1).split(',')) == 3
