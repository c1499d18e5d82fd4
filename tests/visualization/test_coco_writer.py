import json

import numpy as np
import pytest

from tempseg_mm.visualization import coco_writer
from tempseg_mm.visualization.coco_writer import coco_file


def labels(shift=0):
    """(20, 30): object 1, and object 3 with a hole where ``shift`` is not 0."""
    found = np.zeros((20, 30), np.uint8)
    found[2:8, 3 + shift:13 + shift] = 1
    if shift:
        found[10:18, 10:25], found[12:14, 12:14] = 3, 0
    return found


@pytest.mark.filterwarnings('ignore:__array__ implementation')
def test_what_it_writes_is_what_the_tools_of_coco_read(tmp_path, capsys):
    tools, path = pytest.importorskip('pycocotools.coco'), tmp_path / 'new/coco.json'
    with coco_file(path) as coco:
        for i in range(3):
            coco.add(f'f{i}.jpg', labels(i), {1: 'dog', 3: 'dog'}, frame_id=i + 5)
        assert not path.exists()
    read = tools.COCO(path)
    capsys.readouterr()
    assert read.dataset['categories'] == [dict(id=1, name='dog')] and 'videos' not in read.dataset
    assert read.dataset['images'][2] == dict(id=3, file_name='f2.jpg', height=20, width=30, frame_id=7)
    assert len(read.anns) == 5 and read.anns[3]['bbox'] == [10, 10, 15, 8]
    for found in read.anns.values():
        mask = labels(found['image_id'] - 1) == found['track_id']
        np.testing.assert_array_equal(read.annToMask(found), mask)
        assert found['area'] == mask.sum()


def test_ids_of_objects_are_those_of_a_sequence(tmp_path):
    with coco_file(tmp_path / 'coco.json') as coco:
        for sequence in ('cow', 'bear', 'cow'):
            coco.add(f'{sequence}/0.jpg', labels(), {}, frame_id=0, sequence=sequence)
    found = json.loads((tmp_path / 'coco.json').read_text())
    assert found['videos'] == [dict(id=1, name='cow'), dict(id=2, name='bear')]
    for part in ('images', 'annotations'):
        assert [entry['video_id'] for entry in found[part]] == [1, 2, 1]
    assert [entry['track_id'] for entry in found['annotations']] == [1, 1, 1]
    assert found['categories'] == [dict(id=1, name='object 1')]


def test_a_file_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    with pytest.raises(RuntimeError), coco_file(tmp_path / 'coco.json') as coco:
        coco.add('0.jpg', labels(), {}, frame_id=0)
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(coco_writer.importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(ImportError, match='pip install pycocotools'), coco_file(tmp_path / 'coco.json'):
        raise AssertionError('nothing may be done before')
