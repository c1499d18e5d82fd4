"""What --gt tells of the objects of a video, where they are others than those of the ground truth."""

import numpy as np
import pytest

from tempseg_mm.apis.inferencer.truth_scores import TruthScores
from tempseg_mm.structures import FrameRecord, SegmentedFrame


def frame(number, labels, truth=None, void=None, given=False):
    labels = np.array([labels], np.uint8)
    return SegmentedFrame('s', number, f'{number:05d}', np.zeros((*labels.shape, 3), np.uint8), labels=labels,
                          gt_labels=None if truth is None else np.array([truth], np.uint8), given=given,
                          gt_void=None if void is None else np.array([void], bool))


def settled(first_given, *frames):
    """Scores by frame, and sentences."""
    scores = TruthScores(first_given)
    records = []
    for one in frames:
        records.append(FrameRecord(one.frame_id, one.file_name, scores=scores.of(one, one.labels)))
        scores.look(one)
    sentences = scores.settle(records)
    return [record.scores for record in records], sentences


@pytest.mark.parametrize('followed, truth', [(1, 1), (1, 2), (3, 255), (5, 1)])
def test_one_object_each_is_the_same_whatever_its_id(followed, truth):
    ours, theirs = [followed, 0, 0, 0], [truth, truth, 0, 0]
    scores, sentences = settled({followed: 0}, frame(0, ours, theirs, given=True), frame(1, ours, theirs),
                                frame(2, ours, [0] * 4), frame(3, ours))
    assert scores == [{}, {followed: 0.5}, {followed: 0.0}, {}]
    assert sentences == ([] if followed == truth else [
        f'The ground truth has one object, {truth}, and this run follows one, {followed}: J treats them as the same.'])


def test_one_object_followed_of_several_is_scored_by_its_id():
    scores, sentences = settled({2: 0}, frame(0, [0, 2, 2], [1, 2, 2]), frame(1, [0, 2, 2], [1, 0, 2]))
    assert scores == [{}, {2: 0.5}]
    assert sentences == ['The ground truth also has object 1, which this run does not follow, so it gets no J. Give '
                         'a mask to follow it.']


def test_an_object_that_the_ground_truth_never_has_gets_no_score():
    scores, sentences = settled({1: 0, 2: 0, 4: 0}, frame(0, [1, 2, 4], [1, 3, 0]), frame(1, [1, 2, 4], [1, 3, 5]))
    assert scores == [{}, {1: 1.0}]
    assert 'also has objects 3, 5, which' in sentences[0] and 'never has objects 2, 4, which' in sentences[1]


def test_objects_that_come_later_with_exchanged_ids_are_told():
    truth = [frame(0, [1, 0, 0], [1, 0, 0], given=True), frame(1, [1, 3, 2], [1, 2, 3], given=True),
             frame(2, [1, 3, 2], [1, 2, 3])]
    scores, sentences = settled({1: 0, 2: 1, 3: 1}, *truth)
    assert scores[2] == {1: 1.0, 2: 0.0, 3: 0.0}
    assert len(sentences) == 1 and sentences[0].startswith('The result seems to have its ids exchanged')
    assert '2 <-> 3 (J 1.00 instead of 0.00), 3 <-> 2' in sentences[0]


def test_void_pixels_do_not_count():
    assert settled({1: 0}, frame(1, [1, 1, 0], [1, 0, 0], void=[0, 1, 0]))[0] == [{1: 1.0}]


def test_a_ground_truth_without_an_object_is_told():
    scores, sentences = settled({1: 0}, frame(0, [1, 1], [0, 0]), frame(1, [1, 1], [0, 0]))
    assert sentences == ['The ground truth holds no object in any of these frames, so there is no J.']
    assert scores == [{}, {}]


def test_without_ground_truth_nothing_is_told():
    assert settled({1: 0, 2: 0}, frame(0, [1, 2]), frame(1, [1, 2])) == ([{}, {}], [])
