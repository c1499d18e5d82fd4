from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tempseg_mm.evaluation.mask_pairs import faults_of_files, faults_of_number, has_gaps, mask_size, masks_in, paired
from tempseg_mm.runtime.notices import Notices


def paths(*stems):
    return {stem: f'/masks/{stem}.png' for stem in stems}


def match(gt, pred):
    notices = Notices('sequence')
    pairs, faults = paired(paths(*gt), paths(*pred), sequence='bear', notices=notices)
    return {stem: Path(theirs).stem for stem, (_, theirs) in pairs.items()}, faults, list(notices)


def write(path, size=(4, 6)):
    path.parent.mkdir(exist_ok=True)
    if path.suffix == '.npy':
        np.save(path, np.zeros(size, np.uint8))
    else:
        Image.fromarray(np.zeros(size, np.uint8)).save(path)


@pytest.mark.parametrize('names, taken, told', [
    (['0.png', '1.PNG', '2.Png'], {'0.png', '1.PNG', '2.Png'}, False),
    (['0.bmp', '1.bmp', '.2.bmp', '._0.png', '.DS_Store'], {'0.bmp', '1.bmp'}, False),
    (['0.npy', '1.npy', 'readme.txt'], {'0.npy', '1.npy'}, False),
    (['0.jpg', '1.JPEG'], {'0.jpg', '1.JPEG'}, False),
    (['0.png', '1.bmp'], {'0.png', '1.bmp'}, False),
    (['0.png', '1.png', '0.jpg', '1.jpg', 'all.jpg'], {'0.png', '1.png'}, True),
    (['0.png', '1.png', 'overlay.gif'], {'0.png', '1.png'}, True), (['0.gif', '1.gif'], {'0.gif', '1.gif'}, False),
    (['0.png', '0.bmp'], {'0.png'}, True),
    (['notes.txt'], set(), False)])
def test_which_files_of_a_folder_are_masks(tmp_path, names, taken, told):
    for name in names:
        (tmp_path / name).write_bytes(b'')
    notices = Notices()
    assert {Path(path).name for path in masks_in(tmp_path, notices).values()} == taken
    assert bool(notices) == told
    assert not told or f'{len(names) - len(taken)} image(s) beside the masks' in next(iter(notices))


@pytest.mark.parametrize('stems, gaps', [
    (['00000', '00001', '00002'], False), (['00000', '00005', '00010'], True), (['7'], False), ([], False),
    (['a', 'b'], False), (['f1_v2', 'f2_v2', 'f4_v2'], True), (['f1_v2', 'f3_v2', 'f2_v2'], False)])
def test_gaps_between_the_numbers_of_names(stems, gaps):
    assert has_gaps(stems) == gaps


@pytest.mark.parametrize('gt, pred', [
    (['00000', '00001'], ['frame_0000', 'frame_0001']), (['00000', '00001'], ['0', '1']),
    (['00000', '00001', '00010'], ['00000_mask', '00001_mask', '00010_mask']), (['img1', 'img2'], ['00001', '00002'])])
def test_other_names_with_the_same_numbers_are_matched_and_told(gt, pred):
    pairs, faults, notices = match(gt, pred)
    assert pairs == dict(zip(gt, pred, strict=True)) and not faults
    assert len(notices) == 1 and f'{gt[0]}.png with {pred[0]}.png' in notices[0]


@pytest.mark.parametrize('gt, pred, words', [
    (['00000', '00001', '00002'], ['00001', '00002', '00003'],
     'if 00001 belongs to the frame of 00000, numbered from 1 instead of 0'),
    (['00000', '00001', '00002'], ['frame_0001', 'frame_0002', 'frame_0003'], 'numbered from 1 instead of 0'),
    (['00000', '00001'], ['a', 'b'], 'the ground truth has 00000 to 00001, the prediction a to b'),
    (['00000', '00005'], ['00001', '00006', '00007'], 'the prediction 00001 to 00007'),
    (['0', '1', '2', '3', '4', '5'], ['0', '1'], '4 of 6 masks are missing in the prediction (2, 3, 4, ...)'),
    (['0', '1', '2', '3', '4', '5'], ['0', '1'], 'were --gt and --pred swapped?')])
def test_names_that_do_not_fit_are_refused_with_what_was_found(gt, pred, words):
    _, faults, _ = match(gt, pred)
    assert words in '\n'.join(faults)


def test_predictions_of_frames_without_annotation_are_told():
    pairs, faults, notices = match(['00000', '00005', '00010'], [f'{i:05d}' for i in range(12)])
    assert list(pairs) == ['00000', '00005', '00010'] and not faults
    assert notices == [
        'bear has 9 prediction(s) of frames without annotation, which were not scored; the first is 00001']


@pytest.mark.parametrize('size, words', [
    ((8, 12), 'mask 0 is 8x12 in the prediction, 4x6 in the ground truth, and 2 more: predict at the size of the'),
    ((6, 4), 'in the ground truth, turned by 90 degrees, and 2 more: predict')])
def test_predictions_of_another_size_are_one_fault_with_the_way_out(tmp_path, size, words):
    for i in range(3):
        write(tmp_path / f'gt/{i}.png')
        write(tmp_path / f'pred/{i}.npy', size)
    fault, = faults_of_files({str(i): (str(tmp_path / f'gt/{i}.png'), str(tmp_path / f'pred/{i}.npy'))
                              for i in range(3)})
    assert words in fault and 'nearest neighbours' in fault


def test_how_many_annotations_are_needed():
    assert faults_of_number(2) == ['2 mask(s); as the first and the last do not count, at least three are needed']
    assert faults_of_number(1, last_counts=True) == ['1 mask(s); as the first does not count, at least two are needed']
    assert faults_of_number(3) == faults_of_number(2, last_counts=True) == []


def test_the_size_of_an_array_is_read_from_its_header(tmp_path):
    write(tmp_path / 'm/0.npy', (5, 7))
    assert mask_size(str(tmp_path / 'm/0.npy')) == (5, 7)
    (tmp_path / 'm/1.npy').write_bytes(b'no array')
    with pytest.raises(ValueError):
        mask_size(str(tmp_path / 'm/1.npy'))
