import shutil

import numpy as np
import pytest
import released_trees as trees

from tempseg_mm.datasets.check import check_sequences, find_sequences, unloaded
from tempseg_mm.datasets.davis2017 import DAVIS2017Dataset


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return trees.davis2017(tmp_path_factory.mktemp('davis2017'), unsupervised=True)


def only(root, split, **kwargs):
    return DAVIS2017Dataset(str(root), split, test_mode=True, **kwargs)[0]['sequence']


def test_the_year_decides_lists_and_objects(root):
    assert DAVIS2017Dataset(root, 'train', test_mode=True).splits() == ['test-dev', 'train', 'val']
    cow = only(root, 'val')
    assert cow.objects == 'apart' and dict(cow.first_shown) == {1: 0, 2: 0}
    np.testing.assert_array_equal(cow.annotation(2).ids, trees.ids(2))
    as_2016 = DAVIS2017Dataset(str(root), 'train', year=2016, test_mode=True)
    assert as_2016.splits() == ['train', 'val'] and len(as_2016) == 1
    np.testing.assert_array_equal(as_2016[0]['sequence'].annotation(2).ids, trees.ids(2) > 0)
    assert only(root, 'val', year=2016, objects='apart').objects == 'apart'  # said is said


def test_lists_of_the_project_are_those_of_2016(root):
    with pytest.raises(ValueError, match="unknown split 'dev1'; .* has: train, val; the project ships: dev, dev10"):
        only(root, 'dev1', year=2016)
    with pytest.raises(ValueError, match=r"unknown split 'dev10'; .* has: test-dev, train, val\. "):
        only(root, 'dev10')


def test_unsupervised_annotations(root):
    data = DAVIS2017Dataset(root, 'test-dev', year=2019, test_mode=True)
    assert data.splits() == ['test-dev', 'train', 'val']  # of which 2019 lists the first alone
    assert {'Annotations_unsupervised'} == {
        part for path in only(root, 'val', year=2019).mask_paths for part in path.split('/') if 'Annotations' in part}


def test_an_unknown_year(root):
    with pytest.raises(ValueError, match='year is 2018, but there are lists of 2016, 2017, 2019: 2017 for several'):
        only(root, 'val', year=2018)


def checked(root, *, splits=('*',), **kwargs):
    data = unloaded(dict(type='DAVIS2017Dataset', data_root=str(root), split='val', test_mode=True, **kwargs))
    names, findings = find_sequences(data, splits)
    reports = list(check_sequences(data, names))
    return [str(fault) for fault in [*findings, *(fault for report in reports for fault in report.findings)]], reports


def test_first_masks_of_test_dev_are_no_fault(root, tmp_path):
    faults, reports = checked(root)
    assert faults == [] and [report.name for report in reports] == ['dog', 'bear', 'boat', 'cow']
    assert [report.has_given_masks_only for report in reports] == [True, False, False, False]
    assert [len(report.objects) for report in reports] == [2] * 4
    assert checked(root, year=2016, splits=['train', 'val'])[0] == []  # several objects are one, as was asked for
    root = trees.davis2017(tmp_path)
    (root / 'Annotations/480p/dog/00000.png').unlink()
    trees.write(root / 'Annotations/480p/cow/00000.png', trees.ids(0, (1,)), palette=True)
    assert checked(root)[0] == [
        'error    dog: has no mask: nothing to begin with',
        'warning  cow: not in the first mask: object 2 in 00001.png; each is given where it first shows']


def test_without_lists(tmp_path):
    root = trees.davis2017(tmp_path)
    shutil.rmtree(root / 'ImageSets')
    assert only(root, ['cow']).name == 'cow'
    faults, reports = checked(root, splits=['val'])
    assert len(reports) == 4 and [fault for fault in faults if 'the ImageSets folder is missing' in fault] == faults[:1]
    assert faults[1:] == ['warning  dog: only the first 1 frame(s) have a mask: enough to segment, not to score']
