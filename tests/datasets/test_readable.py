import os

import cv2
import numpy as np
import pytest
from mmengine.dataset import ConcatDataset, RepeatDataset

from tempseg_mm.datasets.image_folder import ImageFolderDataset
from tempseg_mm.datasets.readable import BrokenDataError, ReadablePart, faults_of, fingerprint, parts_of
from tempseg_mm.datasets.vos_dataset import VOSDataset


def image(path, size=(8, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.zeros((*size, 3), np.uint8))
    return str(path)


def dataset(root, split='test'):
    return VOSDataset(root, split, resolution='32p', test_mode=True)


def test_every_file_of_a_sequence_is_in_a_part(synthetic_root):
    data = dataset(synthetic_root)
    parts = parts_of(data)
    sequence = data[0]['sequence']
    assert len(parts) == 2 * 6
    assert parts[0].paths == (sequence.frame_paths[0], sequence.mask_paths[0], sequence.flow_paths[0])
    assert parts[5].paths == (sequence.frame_paths[5], sequence.mask_paths[5])  # no flow leads on from the last
    assert list(faults_of(parts, workers=2)) == [None] * 12


def test_faults_keep_their_order_and_do_not_stop_the_search():
    def fail(error):
        raise error

    errors = [None, OSError('a.jpg'), None, ValueError('b.jpg')]
    parts = [ReadablePart((), lambda error=error: error and fail(error)) for error in errors]
    assert list(faults_of(parts * 100, workers=2)) == [None, 'a.jpg', None, 'b.jpg'] * 100
    with pytest.raises(ZeroDivisionError):  # what is no fault of the data is not swallowed
        list(faults_of([ReadablePart((), lambda: 1 / 0)]))
    with pytest.raises(ValueError, match='workers must be at least 1'):
        list(faults_of(parts, workers=0))


def test_wrapped_data_sets(synthetic_root):
    train, test = dataset(synthetic_root, 'train'), dataset(synthetic_root)
    both = [part.paths for part in [*parts_of(train), *parts_of(test)]]
    assert [part.paths for part in parts_of(ConcatDataset([train, test]))] == both
    assert [part.paths for part in parts_of(RepeatDataset(test, 3))] == both[12:]
    assert parts_of([1, 2]) == []  # reads no files


def test_images_of_classes(tmp_path):
    paths = [image(tmp_path / f'{name}/0.png') for name in ('cat', 'dog')]
    parts = parts_of(ImageFolderDataset(str(tmp_path)))
    assert [part.paths for part in parts] == [(path,) for path in paths]
    with open(paths[1], 'r+b') as file:
        file.truncate(40)
    assert [bool(fault) for fault in faults_of(parts)] == [False, True]


@pytest.mark.parametrize('change', [
    lambda path: os.utime(path, (1, 1)), lambda path: path.write_bytes(b'longer than it was'), os.remove])
def test_fingerprint_sees_a_change(tmp_path, change):
    parts = [ReadablePart((image(tmp_path / f'{i}.png'),), lambda: None) for i in range(2)]
    before = fingerprint(parts)
    assert fingerprint(parts) == before != fingerprint(parts[:1])
    change(tmp_path / '1.png')
    assert fingerprint(parts) != before


def test_names_that_are_no_text_have_a_fingerprint():
    assert len(fingerprint([ReadablePart(('caf\udce9.png',), lambda: None)])) == 32


def test_long_lists_of_faults_are_cut():
    error = BrokenDataError([f'fault {i}' for i in range(25)], 100)
    assert len(error.faults) == 25
    lines = str(error).splitlines()
    assert lines[0] == '25 of 100 frames cannot be used:' and lines[20:22] == ['  fault 19', '  and 5 more']
    assert 'tempseg-check-dataset' in lines[-1]
