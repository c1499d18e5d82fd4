import base64
import json
import re

import cv2
import numpy as np
import pytest

from tempseg_mm.visualization.report import page
from tempseg_mm.visualization.report.page import flat_rows, picture_uri, write_page

HOSTILE = '</script><script>alert("1")</script><!-- é "quoted" \u2028 & \\ \'.mp4'


def island(text, name):
    return re.search(rf'id="{name}">(.*?)</script>', text, re.DOTALL).group(1)


@pytest.fixture
def data_island(tmp_path):
    """The data as they stand in a page."""
    def write(data):
        write_page(tmp_path / 'page.html', 'dataset', title='', data=data)
        return island((tmp_path / 'page.html').read_text(encoding='utf-8'), 'data')
    return write


def test_a_text_cannot_leave_its_island(data_island):
    text = data_island({'name': HOSTILE, HOSTILE: [1]})
    assert not set('<>&\u2028') & set(text) and text.isascii()
    assert json.loads(text) == {'name': HOSTILE, HOSTILE: [1]}


def test_data_keep_their_order(data_island):
    assert list(json.loads(data_island(dict(b=1, a=dict(z=1, y=2), c=3)))) == ['b', 'a', 'c']


def test_numbers_that_json_does_not_know(data_island):
    data = dict(a=float('nan'), b=[np.float32(0.5), np.int64(3), float('inf'), True], c=(1, None), d={7: 'x'})
    assert json.loads(data_island(data)) == {'a': None, 'b': [0.5, 3, None, True], 'c': [1, None], 'd': {'7': 'x'}}


def test_a_page_has_all_parts_and_nothing_from_elsewhere(tmp_path):
    path = tmp_path / 'new' / 'page.html'
    write_page(path, 'dataset', title=HOSTILE, data=dict(title=HOSTILE))
    text = path.read_text(encoding='utf-8')
    assert not re.search('{[{%#]', text) and text.count('<title>') == 1 and 'This file contains the tables' in text
    assert json.loads(island(text, 'data')) == {'title': HOSTILE}
    assert 'alert("1")' not in text
    assert 'aria-sort' in text and 'lineChart' in text and '--ground' in text
    assert [link for link in re.findall(r'(?:src|href)="([^"]*)"', text) if not link.startswith('data:')] == []
    assert not re.search(r'@import|https?://(?!www\.w3\.org)', text)
    assert list(path.parent.iterdir()) == [path]


def test_a_long_video_goes_in_piece_by_piece(tmp_path, monkeypatch):
    monkeypatch.setattr(page, 'CHUNK', 6)
    (tmp_path / 'a.mp4').write_bytes(bytes(range(20)))
    write_page(tmp_path / 'a.html', 'sequence', title='', data={}, video=tmp_path / 'a.mp4')
    lines = island((tmp_path / 'a.html').read_text(), 'video-data').split()
    assert len(lines) == 4 and b''.join(map(base64.b64decode, lines)) == bytes(range(20))


def test_without_its_video_there_is_no_page(tmp_path):
    with pytest.raises(FileNotFoundError, match='gone.mp4'):
        write_page(tmp_path / 'a.html', 'sequence', title='', data={}, video=tmp_path / 'gone.mp4')
    assert list(tmp_path.iterdir()) == []


def test_a_picture_as_text_keeps_its_colours():
    uri = picture_uri(np.full((8, 16, 3), (200, 100, 20), np.uint8), quality=95)
    kind, coded = uri.split(',')
    assert kind == 'data:image/jpeg;base64'
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(coded), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (8, 16, 3) and np.abs(picture.astype(int) - (20, 100, 200)).max() < 6


def test_settings_as_rows():
    settings = dict(steps=300, model=dict(type='G', width=0.25, losses={}), name='x', size=(1, 2), none=None)
    assert flat_rows(settings) == [
        ('steps', '300'), ('model.type', 'G'), ('model.width', '0.25'), ('model.losses', '{}'), ('name', 'x'),
        ('size', '(1, 2)'), ('none', 'None')]
