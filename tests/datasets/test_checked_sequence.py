"""How objects of a sequence are checked, however they count; faults of files: test_check.py."""

import pytest
import released_trees as trees

from tempseg_mm.datasets.check import unloaded
from tempseg_mm.datasets.checked_sequence import check_sequence


@pytest.fixture
def root(tmp_path):
    """Sequence bear in the layout of DAVIS: object 1 in all frames, object 2 from the third on."""
    trees.sequence(tmp_path / 'JPEGImages/480p/bear', tmp_path / 'Annotations/480p/bear', trees.LATE)
    return tmp_path


def checked(root, kind='VOSDataset', **kwargs):
    data = unloaded(dict(type=kind, data_root=str(root), split='val', test_mode=True, **kwargs))
    report = check_sequence(data, 'bear')
    return report, [(fault.level, fault.text) for fault in report.findings]


def test_objects_that_are_told_apart(root):
    report, faults = checked(root)
    assert report.objects == {1: '00000', 2: '00002'} and report.late == (2,) and not report.has_given_masks_only
    assert faults == [('warning', 'not in the first mask: object 2 in 00002.png; each is given where it first shows')]


def test_objects_that_count_as_one(root):
    report, faults = checked(root, 'DAVISDataset')
    assert report.objects == {1: '00000'} and report.late == ()
    assert faults == [('warning', f'{root}/Annotations/480p/bear/00002.png shows 2 objects, which count as one, and 2 '
                                  "other mask(s) likewise; objects='apart' treats each separately")]
    assert checked(root, 'DAVISDataset', objects='apart')[1] == checked(root)[1]
    assert checked(root, objects='merged')[1] == []  # as was asked for


def test_one_object_that_is_picked(root):
    report, faults = checked(root, objects=1)
    assert report.objects == {1: '00000'} and faults == []
    _, faults = checked(root, objects=2)
    assert faults == [('error', f'{root}/Annotations/480p/bear/00000.png, the first mask, shows no object 2: nothing '
                                'to begin with')]


@pytest.mark.parametrize('kind, gaps', [('VOSDataset', 1), ('MOSEDataset', 0)])
def test_frames_at_a_lower_rate(tmp_path, kind, gaps):
    middle = '480p' if kind == 'VOSDataset' else ''
    folders = [tmp_path / name / middle / 'bear' for name in ('JPEGImages', 'Annotations')]
    trees.sequence(*folders, trees.ALL, step=5)
    data = unloaded(dict(type=kind, data_root=str(tmp_path), split='all', test_mode=True))
    if kind == 'MOSEDataset':
        assert data.selected_names() == ['bear']
    assert sum('not contiguous' in fault.text for fault in check_sequence(data, 'bear').findings) == gaps
    for folder in folders:
        for path in folder.glob('00010.*'):
            path.unlink()
    assert [fault.text for fault in check_sequence(data, 'bear').findings if '00005.jpg then 00015.jpg' in fault.text]
