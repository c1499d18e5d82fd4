import shutil

import cv2
import numpy as np
import pytest

from tempseg_mm.datasets.segtrack_v2 import OBJECTS, SegTrackV2Dataset
from tempseg_mm.registry import DATASETS

SIZE = (40, 56)


def image(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels)


def soft_mask(left):
    """A square with an edge of 100 on its left and of 200 on its right; three channels."""
    mask = np.zeros((*SIZE, 3), np.uint8)
    mask[10:30, left:left + 14] = 255
    mask[10:30, left - 1], mask[10:30, left + 14] = 100, 200
    return mask


@pytest.fixture
def root(tmp_path):
    """frog: one object, PNG; bmx: two objects, frames and masks of the first in BMP, numbers that sort by value."""
    rng = np.random.default_rng(0)
    for t in range(4):
        image(tmp_path / f'JPEGImages/frog/frog_{t:05d}.png', rng.integers(0, 255, (*SIZE, 3), np.uint8))
        image(tmp_path / f'GroundTruth/frog/frog_{t:05d}.png', soft_mask(10 + t))
        stem = f'bmx no {t + 8}'
        image(tmp_path / f'JPEGImages/bmx/{stem}.bmp', np.full((*SIZE, 3), 10 * t, np.uint8))
        image(tmp_path / f'GroundTruth/bmx/1/{stem}.bmp', soft_mask(4 + t))
        image(tmp_path / f'GroundTruth/bmx/2/{stem}.png', soft_mask(30 + t))
    (tmp_path / 'JPEGImages/frog/Thumbs.db').write_bytes(b'')
    return tmp_path


def names(data):
    return [data[i]['sequence'].name for i in range(len(data))]


def test_every_object_is_a_sequence(root):
    data = DATASETS.build(dict(type='SegTrackV2Dataset', data_root=str(root), test_mode=True))
    assert names(data) == ['bmx-1', 'bmx-2', 'frog']
    first, second, frog = (data[i]['sequence'] for i in range(3))
    assert first.frame_paths == second.frame_paths and len(frog) == 4
    assert first.mask(0)[20].nonzero()[0].tolist() == list(range(4, 19))
    assert second.mask(0)[20].nonzero()[0].tolist() == list(range(30, 45))


def test_anti_aliased_edges_are_cut_at_127(root):
    mask = SegTrackV2Dataset(str(root), test_mode=True, sequences=['frog'])[0]['sequence'].mask(1)
    assert mask.dtype == np.uint8 and mask.sum() == 20 * 15  # with the column of 200, without that of 100


def test_frames_in_natural_order(root):
    sequence = SegTrackV2Dataset(str(root), test_mode=True)[0]['sequence']
    assert [sequence.file_name(i) for i in range(4)] == ['bmx no 8', 'bmx no 9', 'bmx no 10', 'bmx no 11']
    assert [int(sequence.frame(i)[0, 0, 0]) for i in range(4)] == [0, 10, 20, 30]


def test_lists_of_the_release(root):
    (root / 'ImageSets').mkdir()
    (root / 'ImageSets/all.txt').write_text('*frog\n*bmx/\n\n')
    (root / 'ImageSets/mine.txt').write_text('bmx\n')
    (root / 'ImageSets/bmx.txt').write_text('bmx/\nbmx no 8\n')  # frames of one sequence: not a split
    assert names(SegTrackV2Dataset(str(root), test_mode=True)) == ['frog', 'bmx-1', 'bmx-2']
    assert names(SegTrackV2Dataset(str(root), 'mine', test_mode=True)) == ['bmx-1', 'bmx-2']
    with pytest.raises(ValueError, match="unknown split 'bmx'; .* has: all, mine"):
        SegTrackV2Dataset(str(root), 'bmx')
    with pytest.raises(ValueError, match="unknown sequence 'bmx' .*nearest: bmx-"):
        SegTrackV2Dataset(str(root), sequences=['bmx'])


def test_a_listed_sequence_without_folder(root):
    (root / 'ImageSets').mkdir()
    (root / 'ImageSets/all.txt').write_text('frog\nworm\n')
    with pytest.raises(FileNotFoundError, match="the JPEGImages folder of sequence 'worm' is missing"):
        SegTrackV2Dataset(str(root), test_mode=True)


def test_names_can_be_files(root):
    for kind in ('JPEGImages', 'GroundTruth'):
        (root / kind / 'frog').rename(root / kind / 'tree frog: 1')
    assert names(SegTrackV2Dataset(str(root), test_mode=True)) == ['bmx-1', 'bmx-2', 'tree_frog_1']


def test_two_sequences_of_one_name(root):
    for kind in ('JPEGImages', 'GroundTruth'):
        shutil.copytree(root / kind / 'frog', root / kind / 'bmx-1')
    with pytest.raises(ValueError, match="bmx/1 and bmx-1/ in .* would both be sequence 'bmx-1'"):
        SegTrackV2Dataset(str(root))


def test_counts_that_do_not_match(root):
    (root / 'GroundTruth/bmx/2/bmx no 9.png').unlink()
    (root / 'JPEGImages/bmx/bmx no 11.bmp').unlink()
    with pytest.raises(ValueError, match=r"'bmx-1' has 3 frames and 4 masks .*1 masks without frame \(bmx no 11\)"):
        SegTrackV2Dataset(str(root), test_mode=True)
    with pytest.raises(ValueError, match=r"'bmx-2' has 3 frames and 3 masks .*1 frames without mask \(bmx no 9\); "):
        SegTrackV2Dataset(str(root), test_mode=True, sequences=['bmx-2'])


def test_missing_folders(root):
    shutil.rmtree(root / 'GroundTruth/frog')
    with pytest.raises(FileNotFoundError, match="the GroundTruth folder of sequence 'frog' is missing"):
        SegTrackV2Dataset(str(root), test_mode=True)
    shutil.rmtree(root / 'JPEGImages')
    with pytest.raises(FileNotFoundError, match='JPEGImages folder is missing.*oregonstate.edu'):
        SegTrackV2Dataset(str(root))
    with pytest.raises(FileNotFoundError, match='oregonstate.edu.*SegTrackv2.zip|SegTrackv2.zip.*oregonstate.edu'):
        SegTrackV2Dataset(str(root / 'gone'))


def test_the_release():
    assert len(OBJECTS) == 14 and sum(OBJECTS.values()) == 24


@pytest.mark.parametrize('line', ['..', '*../frog', '/JPEGImages/../frog', '*'])
def test_a_list_cannot_name_a_place_elsewhere(root, line):
    (root / 'ImageSets').mkdir()
    (root / 'ImageSets/all.txt').write_text(f'*frog\n{line}\n')
    with pytest.raises(ValueError, match=r'in the list .*all\.txt: folder .* cannot be used'):
        SegTrackV2Dataset(str(root), test_mode=True)
