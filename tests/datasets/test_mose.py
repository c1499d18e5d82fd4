import shutil

import pytest
import released_trees as trees

from tempseg_mm.datasets.check import check_sequences, find_sequences, summary, unloaded
from tempseg_mm.datasets.mose import MOSEDataset


@pytest.fixture
def root(tmp_path):
    return trees.mose(tmp_path)


def names(root, split='train', **kwargs):
    data = MOSEDataset(root, split, test_mode=True, **kwargs)
    return [data[i]['sequence'].name for i in range(len(data))]


def test_splits_are_folders(root, tmp_path_factory):
    assert MOSEDataset(root, clip_sampler=dict(clip_length=3), sequences=['a1']).splits() == ['train', 'valid']
    assert names(root) == ['a1', 'a2'] and names(root, 'valid') == ['b1'] and names(root, ['b1', 'a2']) == ['b1', 'a2']
    assert names(root / 'train', 'all') == ['a1', 'a2']  # the tree of one split alone
    with pytest.raises(ValueError, match="unknown split 'val'; .* has: train, valid"):
        names(root, 'val')
    with pytest.raises(FileNotFoundError, match='holds no split, .* MOSEDataset expects <split>/JPEGImages'):
        names(tmp_path_factory.mktemp('empty'))


def test_a_sequence_begins_with_its_first_object(root):
    folder = root / 'train/Annotations/a2'
    (folder / '00000.png').unlink()
    trees.write(folder / '00001.png', trees.ids(1, ()), palette=True)
    sequence = MOSEDataset(root, test_mode=True)[1]['sequence']
    assert sequence.file_name(0) == '00002' and len(sequence) == 3 and dict(sequence.first_shown) == {1: 0, 2: 0}
    for path in folder.iterdir():
        trees.write(path, trees.ids(1, ()), palette=True)
    with pytest.raises(ValueError, match=r"'a2' has 4 mask\(s\), none of which shows an object: nothing to begin with"):
        names(root)


def test_a_name_in_two_splits(root):
    (root / 'valid/JPEGImages/b1').rename(root / 'valid/JPEGImages/a1')
    (root / 'valid/Annotations/b1').rename(root / 'valid/Annotations/a1')
    assert names(root, 'valid') == ['a1']
    with pytest.raises(ValueError, match="sequence 'a1' is in train and in valid, .* look at one split at a time"):
        names(root, ['a1'])


def test_the_check(root):
    data = unloaded(dict(type='MOSEDataset', data_root=str(root), split='', test_mode=True))
    found, findings = find_sequences(data, ['*'])
    reports = list(check_sequences(data, found, workers=2))
    assert findings == [] and [report.findings for report in reports] == [[], [], []]
    text = summary(reports)
    table = [line.split() for line in text.splitlines()[:5]]
    assert [row[-4 if row[-1] == '32x48' else -3] for row in table[1:]] == ['2', '2', '2', '6']
    assert '1 object(s) of 1 sequence(s) appear later' in text
    assert '1 sequence(s) have only the masks to begin with: they are segmented, not scored' in text
    shutil.rmtree(root / 'train/Annotations/a1')
    assert [str(fault) for fault in list(check_sequences(data, ['a1']))[0].findings] == [
        f"error    a1: the Annotations folder of sequence 'a1' is missing: {root}/train/Annotations/a1; unpack or copy "
        'it again, or leave the sequence out']
    for path in (root / 'train/Annotations/a2').iterdir():
        if path.stem != '00000':
            path.unlink()
    assert [str(fault) for fault in list(check_sequences(data, ['a2']))[0].findings] == [
        'warning  a2: only the first 1 frame(s) have a mask: enough to segment, not to score']
    trees.sequence(root / 'valid/JPEGImages/b1', root / 'valid/Annotations/b1', trees.ALL)  # as LVOS has them
    report, = check_sequences(data, ['b1'])
    assert report.findings == [] and not report.has_given_masks_only
