import json

import pytest
import released_trees as trees

from tempseg_mm.datasets.check import check_sequences, find_sequences, unloaded
from tempseg_mm.datasets.youtube_vos import SEEN, YouTubeVOSDataset, object_groups


@pytest.fixture
def root(tmp_path):
    return trees.youtube_vos(tmp_path)


def only(root, split='valid', **kwargs):
    return YouTubeVOSDataset(root, split, test_mode=True, **kwargs)[0]['sequence']


def change(root, split, **changes):
    """Objects of the one sequence of a split, as ``meta.json`` has them, changed; ``None`` takes a key away."""
    path = root / split / 'meta.json'
    meta = json.loads(path.read_text())
    (name, video), = meta['videos'].items()
    for entry in video['objects'].values():
        entry.update(changes)
        for key in [key for key, value in entry.items() if value is None]:
            del entry[key]
    path.write_text(json.dumps(meta))


def test_objects_appear_where_they_are_given(root):
    sequence = only(root)
    assert [sequence.file_name(i) for i in range(len(sequence))] == ['00005', '00010', '00015', '00020']
    assert dict(sequence.first_shown) == {1: 0, 2: 2} and sequence.asked is None
    assert [sequence.is_annotated(i) for i in range(4)] == [True, False, True, False]


def test_seen_are_the_categories_of_the_training_set(root):
    assert len(SEEN) == 65
    assert dict(only(root).groups) == {1: 'seen', 2: 'unseen'} == object_groups(root / 'valid/meta.json')['b1']
    change(root, 'train', category='unicorn')  # trained on here
    assert dict(only(root).groups) == {1: 'seen', 2: 'seen'}
    (root / 'train/meta.json').unlink()
    assert dict(only(root).groups) == {1: 'seen', 2: 'unseen'}
    change(root, 'valid', category=None)
    assert dict(only(root).groups) == {}
    (root / 'valid/meta.json').unlink()
    assert dict(only(root).groups) == {}


@pytest.mark.parametrize('place', ['valid_all_frames', 'all_frames/valid_all_frames'])
def test_thirty_frames_a_second(root, place):
    (root / 'all_frames').mkdir()
    (root / 'valid_all_frames').rename(root / place)
    sequence = only(root, all_frames=True)
    assert [sequence.file_name(i) for i in (0, 1, 15)] == ['00005', '00006', '00020'] and len(sequence) == 16
    assert sequence.asked == {'00005', '00010', '00015', '00020'} and dict(sequence.first_shown) == {1: 0, 2: 10}
    (root / place / 'JPEGImages/b1/00020.jpg').unlink()
    with pytest.raises(ValueError, match=r"'b1': 1 of the 6 frames a second are not among the 30 \(00020\)"):
        only(root, all_frames=True)
    with pytest.raises(FileNotFoundError, match="'a1' has no folder of 30 frames a second, neither .*train_all_frames"):
        only(root, 'train', all_frames=True)


def test_what_is_refused(root):
    with pytest.raises(ValueError, match='all_frames is for tests'):
        YouTubeVOSDataset(root, 'train', all_frames=True)
    (root / 'valid/meta.json').write_text('{"videos": []}')
    with pytest.raises(ValueError, match=r'valid/meta.json does not have the form {"videos": {sequence: '):
        only(root)


def faults(root, split='*', **kwargs):
    data = unloaded(dict(type='YouTubeVOSDataset', data_root=str(root), split='', test_mode=True, **kwargs))
    names, findings = find_sequences(data, [split])
    reports = list(check_sequences(data, names))
    return [str(fault) for fault in [*findings, *(fault for report in reports for fault in report.findings)]]


def test_a_release_without_fault(root):
    assert faults(root) == [] and faults(root, 'valid', all_frames=True) == []


def test_meta_and_disk_that_disagree(root):
    change(root, 'valid', frames=['00000', '00015', '00099'])
    trees.write(root / 'train/Annotations/a1/00020.png', 3 * trees.ids(4, (1,)), palette=True)
    assert faults(root) == [
        'warning  a1: object 3, which shows in 00020, is not in meta.json',
        'warning  b1: object 1 first shows in 00005, but meta.json says in 00000',
        'warning  b1: object 2 first shows in 00015, but meta.json says in 00000',
        'warning  b1: 1 frame(s) of meta.json are missing: 00099']
    (root / 'valid/meta.json').write_text('{"videos": {"b2": {"objects": {}}}}')
    (root / 'train/meta.json').unlink()
    assert faults(root)[:3] == [
        'warning  train/meta.json is missing or empty, so objects have no categories',
        'warning  1 sequence(s) of valid/meta.json are not in valid/JPEGImages: b2',
        'warning  1 sequence(s) of valid/JPEGImages are not in valid/meta.json: b1']
