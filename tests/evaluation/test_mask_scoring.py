import os

import numpy as np
import pytest
from PIL import Image

from tempseg_mm.evaluation import mask_scoring
from tempseg_mm.evaluation.functional import contour_accuracy, region_similarity, temporal_instability
from tempseg_mm.evaluation.mask_folders import MaskFaults
from tempseg_mm.evaluation.mask_scoring import evaluate_masks
from tempseg_mm.visualization.palette import color_palette


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
    assert table.protocol['objects'] == 'one per sequence, all but 0'
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
    assert table.protocol['protocol'] == 'DAVIS 2017' and table.protocol['objects'].startswith('by id')
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


def encoded(folder, masks, kind):
    """The masks of a sequence as files of one kind."""
    folder.mkdir(parents=True)
    for i, mask in enumerate(masks):
        if kind == 'npy':
            np.save(folder / f'{i:05d}.npy', mask)
            continue
        image = Image.fromarray(mask)
        if kind in ('palette', 'rgb'):
            image.putpalette(color_palette().tobytes())
        name = f'{i:05d}.{dict(bmp="bmp", PNG="PNG", jpg="jpg").get(kind, "png")}'
        image = image.convert('RGB') if kind == 'rgb' else image
        image.save(folder / name, **(dict(quality=95) if kind == 'jpg' else {}))


def smooth(mask):
    """The edge to the right is less than half covered."""
    soft = mask.copy()
    soft[12:36, mask[20].nonzero()[0][-1] + 1] = 100
    return soft


SHAPE = (48, 80)
KINDS = {  # how one and the same prediction may be stored, and a word of what is told of it
    'ids': (lambda masks: masks, 'palette', ''), 'gray ids': (lambda masks: masks, 'gray', ''),
    'array': (lambda masks: masks, 'npy', ''), 'bmp': (lambda masks: masks, 'bmp', ''),
    'upper case': (lambda masks: masks, 'PNG', ''), 'colours': (lambda masks: masks, 'rgb', '')}
ONE = {
    'white': (lambda mask: mask * 255, 'gray', ''), 'jpeg': (lambda mask: mask * 255, 'jpg', 'soft edges'),
    'soft edges': (lambda mask: smooth(mask * 255), 'gray', 'soft edges'),
    'inverted': (lambda mask: 255 - mask * 255, 'gray', 'surrounded by white'),
    'another id': (lambda mask: mask * 7, 'palette', 'number 7'),
    'probabilities': (lambda mask: np.where(mask, 0.9, 0.2).astype(np.float32), 'npy', '0.5 or more')}


def moving(*columns):
    """Objects 1, 2, ... that move to the right, in five masks."""
    masks = np.zeros((5, *SHAPE), np.uint8)
    for t, mask in enumerate(masks):
        for i, column in enumerate(columns, 1):
            mask[12:36, column + t:column + t + 16] = i
    return masks


@pytest.mark.parametrize('truth, kind', [(truth, kind) for truth in ('palette', 'gray', 'rgb') for kind in KINDS])
def test_the_same_objects_in_any_encoding_score_the_same(tmp_path, kind, truth):
    change, encoding, word = KINDS[kind]
    encoded(tmp_path / 'gt/a', moving(4, 40), truth)
    encoded(tmp_path / 'pred/a', change(moving(5, 40)), encoding)
    table = evaluate_masks(tmp_path / 'gt', tmp_path / 'pred', measures=['J'])
    scores = {label: set(found['per_frame']) for label, found in table.sequences['a']['J']['objects'].items()}
    assert scores == {'1': {15 / 17}, '2': {1.0}} and any(word in notice for notice in table.notices or [''])


def test_colours_that_the_ground_truth_lacks_are_refused(tmp_path):
    encoded(tmp_path / 'gt/a', moving(4, 40), 'gray')
    for i, mask in enumerate(moving(5, 40)):
        (tmp_path / 'pred/a').mkdir(parents=True, exist_ok=True)
        colors = np.array([(0, 0, 0), (9, 200, 30), (250, 0, 250)], np.uint8)
        Image.fromarray(colors[mask]).save(tmp_path / f'pred/a/{i:05d}.png')
    with pytest.raises(MaskFaults, match=r'which stand for the colour \(9, 200, 30\), the colour .*, and 2 more masks'):
        evaluate_masks(tmp_path / 'gt', tmp_path / 'pred')


@pytest.mark.parametrize('kind', ONE)
@pytest.mark.parametrize('value', [1, 255])
def test_one_object_in_any_encoding_scores_the_same_and_guesses_are_told(tmp_path, kind, value):
    change, encoding, word = ONE[kind]
    encoded(tmp_path / 'gt/a', moving(20) * np.uint8(value), 'palette' if value == 1 else 'gray')
    encoded(tmp_path / 'pred/a', [change(mask) for mask in moving(21)], encoding)
    table = evaluate_masks(tmp_path / 'gt', tmp_path / 'pred', measures=['J'])
    assert table.sequences['a']['J']['mean'] == pytest.approx(15 / 17, abs=0.01 if kind == 'jpeg' else 1e-9)
    assert any(word in notice for notice in table.notices or ['']), table.notices


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
