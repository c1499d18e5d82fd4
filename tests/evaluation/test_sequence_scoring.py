"""Scores of one sequence, by the objects of all its annotations."""

import numpy as np
import pytest

from tempseg_mm.evaluation.functional import contour_accuracy, region_similarity, temporal_instability
from tempseg_mm.evaluation.mask_folders import MaskSequence
from tempseg_mm.evaluation.sequence_scoring import score_sequence
from tempseg_mm.visualization.exporters import write_indexed_png

SHAPE = (16, 24)


@pytest.fixture
def score(tmp_path):
    """Scores of arrays, written as palette files."""
    def run(gt, pred, last_counts=False, **options):
        for kind, masks in (('gt', gt), ('pred', pred)):
            for i, mask in enumerate(masks):
                write_indexed_png(tmp_path / kind / f'{i:05d}.png', np.asarray(mask, np.uint8))
        paths = [tuple(str(tmp_path / kind / f'{i:05d}.png') for i in range(len(gt))) for kind in ('gt', 'pred')]
        return score_sequence(MaskSequence('bear', *paths, last_counts), **options)
    return run


def frame(**boxes):
    """A mask with boxes ``_3=column``: object 3, six pixels high and wide."""
    mask = np.zeros(SHAPE, np.uint8)
    for name, column in boxes.items():
        mask[4:10, column:column + 6] = int(name[1:])
    return mask


def j_of(found, label):
    return found.objects[label]['J']


def test_ids_of_objects_that_come_later_are_looked_at(score):
    gt = [frame(_1=0), frame(_1=0), *[frame(_1=0, _2=8, _3=16)] * 4]
    swapped = [frame(_1=0), frame(_1=0), *[frame(_1=0, _3=8, _2=16)] * 4]
    found = score(gt, swapped)
    assert set(j_of(found, 1).values()) == {1.0} and list(j_of(found, 1)) == [1, 2, 3, 4]
    assert j_of(found, 2) == j_of(found, 3) == {3: 0.0, 4: 0.0}
    assert 'ids exchanged: J would be higher with ground truth <-> result 2 <-> 3' in ''.join(found.notices)
    same = score(gt, gt)
    assert {value for label in (1, 2, 3) for value in j_of(same, label).values()} == {1.0}
    assert list(same.notices) == ['bear has objects that first show after the first annotation (2 in 00002, 3 in '
                                  '00002): each is scored from the next frame on']


@pytest.mark.parametrize('gt_id, pred_id', [(1, 2), (255, 1), (1, 255), (7, 3)])
def test_one_object_each_is_the_same_whatever_its_id(score, gt_id, pred_id):
    gt, pred = (np.stack([frame(_1=i) for i in range(5)]) * value for value in (gt_id, pred_id))
    found = score(gt, pred)
    assert set(j_of(found, 1).values()) == {1.0} and list(found.objects) == [1]
    assert any('shows one object' in notice for notice in found.file_notices) or 1 in (gt_id, pred_id)


def test_several_ids_for_one_object_are_told(score):
    found = score([frame(_1=0)] * 4, [frame(_1=0, _2=8)] * 4)
    assert j_of(found, 1) == {1: 0.5, 2: 0.5}
    assert 'one object in the ground truth (1) and the ids 1, 2 in the prediction: all' in ''.join(found.notices)


def test_an_object_that_comes_late_is_given_where_it_first_shows(score):
    gt = [frame(_1=0), frame(_1=1), frame(_1=2, _2=10), frame(_1=3, _2=12), frame(_1=4, _2=13), frame(_1=5, _2=14)]
    pred = [frame(_1=0), frame(_1=2), frame(_1=2, _2=16), frame(_1=3, _2=13), frame(_1=6, _2=13), frame(_1=0)]
    found = score(gt, pred)
    two = [[mask == 2 for mask in masks] for masks in (gt, pred)]
    assert j_of(found, 2) == {i: region_similarity(two[1][i], two[0][i]) for i in (3, 4)}
    assert found.objects[2]['F'] == {i: contour_accuracy(two[1][i], two[0][i]) for i in (3, 4)}
    expected = temporal_instability([two[0][2], two[1][3], two[1][4]]).per_pair
    assert list(found.objects[2]['T'].values()) == expected and list(found.objects[2]['T']) == [3, 4]
    one = [[mask == 1 for mask in masks] for masks in (gt, pred)]
    assert list(found.objects[1]['T'].values()) == temporal_instability([one[0][0], *one[1][1:5]]).per_pair


def test_a_single_object_that_comes_late_is_not_scored_before(score):
    empty = frame()
    found = score([empty, empty, *[frame(_1=3)] * 4], [frame(_1=9), frame(_1=9), *[frame(_1=3)] * 4])
    assert j_of(found, 1) == {3: 1.0, 4: 1.0} and 'it in 00002' in ''.join(found.notices)


def with_void(mask, columns):
    mask = mask.copy()
    mask[:, columns] = 255
    return mask


@pytest.mark.parametrize('merge', [False, True])
def test_void_pixels_count_for_no_measure(score, merge):
    void = slice(4, 8)
    gt = [with_void(frame(_1=0, _2=14), void)] * 5
    pred = [frame(_1=0, _2=14), frame(_1=0, _2=14), frame(_1=1, _2=14), frame(_1=2, _2=14), frame()]
    found = score(gt, pred, merge_objects=merge)
    for label in found.objects:
        truth, results = ([(mask != 0) if merge else mask == label for mask in masks]
                          for masks in ([frame(_1=0, _2=14)] * 5, pred))
        for masks in (truth, results):
            for mask in masks:
                mask[:, void] = False
        assert list(j_of(found, label).values()) == [region_similarity(results[i], truth[i]) for i in (1, 2, 3)]
        assert list(found.objects[label]['F'].values()) == [contour_accuracy(results[i], truth[i]) for i in (1, 2, 3)]
        assert list(found.objects[label]['T'].values()) == temporal_instability([truth[0], *results[1:4]]).per_pair
    assert list(found.objects) == ([1] if merge else [1, 2]) and 'void' in ''.join(found.notices)


def test_void_in_a_single_annotation_is_void(score):
    gt = [frame(_1=0), frame(_1=0), with_void(frame(_1=0), slice(3, 6)), frame(_1=0)]
    found = score(gt, [frame(_1=0), frame(_1=0), with_void(frame(_1=0), slice(3, 6)) % 255, frame(_1=0)])
    assert j_of(found, 1) == {1: 1.0, 2: 1.0} and len(found.objects) == 1


@pytest.mark.parametrize('pred, words', [
    ([frame()] * 4, 'bear has an empty prediction'),
    ([frame(_1=0)] * 4, 'bear has objects that its prediction never shows (2)')])
def test_what_a_prediction_lacks_is_told(score, pred, words):
    found = score([frame(_1=0, _2=8)] * 4, pred)
    assert any(words in notice for notice in found.notices) and not found.faults


def test_ids_that_no_annotation_has_are_refused(score):
    fault, = score([frame(_1=0), frame(_1=0), frame(_1=0, _2=8), frame()], [frame(_4=0)] * 4).faults
    assert '00001.png holds the ids 4, and 1 more masks do; the ground truth has 1, 2: give objects the ids' in fault


@pytest.mark.parametrize('gt, fault', [
    ([frame()] * 4, 'no annotation of it holds an object; leave it out'),
    ([frame(), frame(), frame(_1=0), frame(_1=0)], 'no object shows in it before the last annotation that counts')])
def test_a_sequence_without_an_object_to_score_is_refused(score, gt, fault):
    found = score(gt, [frame(_1=0)] * 4)
    assert len(found.faults) == 1 and fault in found.faults[0]


def test_an_object_that_shows_too_late_is_left_out_and_told(score):
    gt = [frame(_1=0), frame(_1=0), frame(_1=0, _2=8), frame(_1=0, _2=8)]
    found = score(gt, gt)
    assert list(found.objects) == [1] and 'first show too late to be scored: 2' in ''.join(found.notices)
    both = score(gt, gt, last_counts=True)
    assert j_of(both, 2) == {3: 1.0} and list(j_of(both, 1)) == [1, 2, 3]


def test_void_pixels_of_a_prediction_are_background(score):
    gt = [frame(_1=0, _2=10)] * 4
    found = score(gt, [with_void(mask, slice(3, 6)) for mask in gt])
    assert set(j_of(found, 1).values()) == {0.5} and set(j_of(found, 2).values()) == {1.0}
    assert 'bear has void pixels in its prediction: they count as background' in list(found.notices)


def test_white_on_black_is_no_one_of_several_objects_but_all_of_them_merged(score):
    gt, pred = [frame(_1=0, _2=10)] * 6, [(frame(_1=0, _2=10) > 0) * 255] * 6
    faults = score(gt, pred).faults
    assert len(faults) == 2 and 'one object without a number' in faults[0] and '--merge-objects' in faults[0]
    assert faults[1] == '3 more predicted masks could not be read'
    assert set(j_of(score(gt, pred, merge_objects=True), 1).values()) == {1.0}
