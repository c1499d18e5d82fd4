import os

import numpy as np
import pytest
from PIL import Image

from tempseg_mm.evaluation import mask_scoring
from tempseg_mm.evaluation.functional import contour_accuracy, region_similarity, temporal_instability
from tempseg_mm.evaluation.mask_folders import MaskFaults
from tempseg_mm.evaluation.mask_scoring import evaluate_masks


def write(folder, masks):
    folder.mkdir(parents=True)
    for i, mask in enumerate(masks):
        Image.fromarray(mask).save(folder / f'{i:05d}.png')


def bars(widths, value=255, shape=(12, 20)):
    masks = np.zeros((len(widths), *shape), np.uint8)
    for mask, width in zip(masks, widths, strict=True):
        mask[2:10, 2:2 + width] = value
    return masks


@pytest.fixture
def folders(tmp_path):
    """Two sequences of five and four masks."""
    for name, gt, pred in (('camel', [8, 8, 8, 8, 8], [0, 4, 8, 2, 0]), ('dog', [6, 7, 8, 9], [1, 7, 6, 1])):
        write(tmp_path / 'gt' / name, bars(gt))
        write(tmp_path / 'pred' / name, bars(pred, value=1))
    return tmp_path / 'gt', tmp_path / 'pred'


def test_scores_are_those_of_the_functions(folders):
    table = evaluate_masks(*folders)
    gt, pred = bars([8] * 5) > 0, bars([0, 4, 8, 2, 0]) > 0
    camel = table.sequences['camel']
    assert camel['J']['per_frame'] == [region_similarity(pred[i], gt[i]) for i in (1, 2, 3)] == [0.5, 1, 0.25]
    assert camel['F']['per_frame'] == [contour_accuracy(pred[i], gt[i]) for i in (1, 2, 3)]
    assert camel['T']['per_frame'] == temporal_instability([gt[0], *pred[1:4]]).per_pair
    assert camel['J']['frames'] == camel['T']['frames'] == [1, 2, 3]
    assert table.overall['J']['mean'] == pytest.approx((1.75 / 3 + (1 + 0.75) / 2) / 2)
    assert table.overall['T']['sequences'] == ['camel'] and table.overall['T_all']['sequences'] == ['camel', 'dog']
    assert table.protocol['protocol'] == 'DAVIS 2016' and table.protocol['frames'] == 'first and last left out'


def test_objects_are_averaged_first_then_all_of_them(tmp_path, folders):
    gt, pred = np.zeros((4, 12, 20), np.uint8), np.zeros((4, 12, 20), np.uint8)
    gt[:, 1:5, 1:9], gt[:, 7:11, 1:9] = 1, 2
    pred[:, 1:5, 1:5], pred[:, 7:11, 1:9] = 1, 2  # half of object 1, all of object 2
    pred[2, 7:11, 1:9] = 0
    write(folders[0] / 'pair', gt)
    write(folders[1] / 'pair', pred)
    table = evaluate_masks(*folders, measures=['J'])
    pair = table.sequences['pair']['J']
    assert pair['per_frame'] == [0.75, 0.25] and pair['mean'] == 0.5
    assert pair['recall'] == 0.25 and pair['objects']['2']['recall'] == 0.5  # 0.5 itself is no success
    assert pair['decay'] == pytest.approx(0.5 * 0 + 0.5 * 1)
    assert table.overall['J']['mean'] == pytest.approx((1.75 / 3 + 0.875 + 0.5 + 0.5) / 4)
    assert table.protocol['protocol'] == 'DAVIS 2017'
    merged = evaluate_masks(*folders, measures=['J'], merge_objects=True).sequences['pair']['J']
    assert merged['per_frame'] == [0.75, 0.25] and 'objects' not in merged


def test_the_result_does_not_depend_on_the_number_of_workers(folders):
    assert evaluate_masks(*folders, workers=2) == evaluate_masks(*folders, workers=1)


def test_measures_come_in_one_order(folders):
    assert list(evaluate_masks(*folders, measures=['F', 'J']).sequences['dog']) == ['J', 'F']


def test_progress_is_said(folders, monkeypatch):
    monkeypatch.setattr('tempseg_mm.runtime.progress.Progress.step', lambda self, text: self.report(text))
    said = []
    evaluate_masks(*folders, measures=['J'], log=said.append)
    assert said[0].startswith('camel scored, 1 of 2') and len(said) == 2


def test_ids_that_the_first_annotation_lacks_are_all_listed(tmp_path):
    gt, pred = np.zeros((4, 6, 6), np.uint8), np.zeros((4, 6, 6), np.uint8)
    gt[:, 0, :2] = 1, 2
    pred[1, 3], pred[2, 4] = 7, 9
    write(tmp_path / 'gt/a', gt)
    write(tmp_path / 'pred/a', pred)
    with pytest.raises(MaskFaults, match='(?s)00001.png holds the ids 7; .* has 1, 2.*00002.png holds the ids 9'):
        evaluate_masks(tmp_path / 'gt', tmp_path / 'pred')


def test_truncated_masks_are_faults(folders):
    for i in (1, 2):
        path = folders[1] / 'camel' / f'0000{i}.png'
        path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(MaskFaults, match=r'2 fault(?s:.*)camel: mask .*00001.png cannot be decoded'):
        evaluate_masks(*folders, measures=['J'])


def die(sequence):
    os._exit(3)


def test_a_worker_that_dies_is_an_error_and_no_hang(folders, monkeypatch):
    monkeypatch.setattr(mask_scoring, 'partial', lambda *_, **__: die)
    with pytest.raises(RuntimeError, match='a worker process died.*camel, dog'):
        evaluate_masks(*folders, workers=2)


@pytest.mark.parametrize('options, message', [
    (dict(measures=[]), 'one or more of J, F, T, got none'), (dict(measures=['J', 'X']), 'got J, X'),
    (dict(workers=0), 'workers must be at least 1, got 0')])
def test_wrong_options(folders, options, message):
    with pytest.raises(ValueError, match=message):
        evaluate_masks(*folders, **options)


def test_a_first_annotation_that_cannot_be_read_is_a_fault_among_others(folders):
    for folder, name in ((folders[0], 'camel/00000.png'), (folders[1], 'dog/00001.png')):
        path = folder / name
        path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(MaskFaults, match=r'2 fault(?s:.*)camel: .*00000.png(?s:.*)dog: .*00001.png'):
        evaluate_masks(*folders, measures=['J'])
