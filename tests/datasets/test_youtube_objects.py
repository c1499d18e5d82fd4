import shutil

import cv2
import numpy as np
import pytest

from tempseg_mm.datasets.youtube_objects import YouTubeObjectsDataset
from tempseg_mm.registry import DATASETS

SIZE = (48, 64)
NUMBERS = range(1, 13)
LABELS = {1: False, 4: True, 7: False, 10: True}  # annotated frame -> whether it shows the object


def image(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels)


def mask(shown, size=SIZE):
    pixels = np.zeros(size, np.uint8)
    if shown:
        pixels[size[0] // 4:size[0] // 2, size[1] // 4:size[1] // 2] = 255
    return pixels


@pytest.fixture
def cow(tmp_path):
    """Shot cow-0003-001 of twelve frames, every third annotated with a JPEG, as released."""
    shot = tmp_path / 'cow/data/0003/shots/001'
    for number in NUMBERS:
        image(shot / f'frame{number:04d}.jpg', np.full((*SIZE, 3), 20 * number, np.uint8))
    for number, shown in LABELS.items():
        image(shot / f'labels/{number:05d}.jpg', mask(shown))
    return shot


@pytest.fixture
def root(tmp_path, cow):
    """And shot train-0001-002, in images/ only: three frames, all annotated."""
    shot = tmp_path / 'train/data/0001/shots/002'
    for number in (1, 11, 21):
        image(shot / f'images/{number:05d}.jpg', np.full((*SIZE, 3), number, np.uint8))
        image(shot / f'labels/{number:05d}.png', mask(True))
    (tmp_path / 'train/data/0001/shots/003').mkdir()  # a shot without labels is none of ours
    return tmp_path


def only(root, split='all', **kwargs):
    return YouTubeObjectsDataset(str(root), split, test_mode=True, **kwargs)[0]['sequence']


def test_shots_with_labels_are_sequences(root):
    data = DATASETS.build(dict(type='YouTubeObjectsDataset', data_root=str(root), test_mode=True))
    assert [data[i]['sequence'].name for i in range(len(data))] == ['cow-0003-001', 'train-0001-002']
    assert data.splits() == ['all', 'cow', 'train']
    train = only(root, 'train')
    assert len(train) == 3 and all(map(train.is_annotated, range(3)))


def test_from_the_first_mask_with_the_object_to_the_last_mask(root):
    sequence = only(root, 'cow')
    assert [sequence.file_name(i) for i in range(len(sequence))] == [f'frame{n:04d}' for n in range(4, 11)]
    assert [sequence.is_annotated(i) for i in range(7)] == [True, False, False, True, False, False, True]
    areas = [None if sequence.mask(i) is None else int(sequence.mask(i).sum()) for i in range(7)]
    assert areas[0] == pytest.approx(12 * 16, rel=0.05) and areas[3] == 0  # without the object, and yet scored
    assert areas[1] is None and set(np.unique(sequence.mask(0))) == {0, 1}


def test_frames_of_the_shot_come_before_its_images(root, cow):
    """images/ of the masks' archive holds the annotated frames only."""
    for number in LABELS:
        image(cow / f'images/{number:05d}.jpg', np.zeros((*SIZE, 3), np.uint8))
    assert only(root, 'cow').frame_paths[0] == str(cow / 'frame0004.jpg')


def test_frames_larger_than_masks_are_brought_to_them(root, cow):
    for number, shown in LABELS.items():
        image(cow / f'labels/{number:05d}.jpg', mask(shown, (24, 32)))
    sequence = only(root, 'cow')
    assert sequence.shape == (24, 32) and sequence.frame(0).shape == (24, 32, 3)
    assert sequence.mask(0).shape == (24, 32) and sequence.mask(0).sum() == pytest.approx(6 * 8, rel=0.2)
    assert sequence.frame(0, (12, 16)).shape == (12, 16, 3) and sequence.mask(0, 12).shape == (12, 16)
    image(cow / 'labels/00010.jpg', mask(True))
    with pytest.raises(ValueError, match=r'00010.jpg is 48x64 .*frame0010.jpg is to be read at 24x32'):
        sequence.mask(6)


def test_masks_of_other_proportions(root, cow):
    image(cow / 'labels/00004.jpg', mask(True, (24, 24)))
    with pytest.raises(ValueError, match=r'proportions of .*00004.jpg \(24x24\) .*frame0004.jpg \(48x64'):
        only(root, 'cow')


def test_no_object_in_any_mask(root, cow):
    for number in LABELS:
        image(cow / f'labels/{number:05d}.jpg', mask(False))
    with pytest.raises(ValueError, match="'cow-0003-001' has 4 masks, none of which shows the object"):
        only(root, 'cow')


def test_mask_without_frame(root, cow):
    (cow / 'frame0007.jpg').unlink()
    with pytest.raises(ValueError, match=r'1 mask\(s\) without frame, e.g. .*labels/00007.jpg'):
        only(root, 'cow')


def test_two_files_of_one_number(root, cow):
    image(cow / 'labels/4.png', mask(True))
    with pytest.raises(ValueError, match='have one number, 4'):
        only(root, 'cow')


def test_unknown_class_and_missing_root(root):
    with pytest.raises(ValueError, match="unknown split 'dog'; .* has: all, cow, train"):
        only(root, 'dog')
    with pytest.raises(FileNotFoundError, match='cs.utexas.edu.*docs/data.md.*TEMPSEG_YOUTUBE_OBJECTS_ROOT'):
        only(root / 'gone')
    shutil.rmtree(root / 'cow')
    shutil.rmtree(root / 'train')
    with pytest.raises(FileNotFoundError, match='holds no sequence. YouTubeObjectsDataset expects <class>/data'):
        only(root)


def test_training_is_refused(root):
    with pytest.raises(ValueError, match="frame frame0005 of sequence 'cow-0003-001' has no annotation"):
        YouTubeObjectsDataset(str(root), 'cow', clip_sampler=dict(clip_length=2))


def test_the_classes_of_the_release(root):
    missing = YouTubeObjectsDataset(str(root), test_mode=True).missing_parts()
    assert len(missing) == 8 and "class 'dog'" in ' '.join(missing)
