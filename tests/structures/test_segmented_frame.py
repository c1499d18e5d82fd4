import numpy as np
import pytest

from tempseg_mm.structures.segmented_frame import SegmentedFrame, ids_of, labels_of, one_hot


def frame(probabilities, **fields):
    image = np.zeros((1, 3, 3), np.uint8)
    return SegmentedFrame('bear', 0, '00000', image, probabilities=np.array(probabilities, np.float32), **fields)


def test_labels_are_above_one_half_and_follow_refined_probabilities():
    found = frame([[[0.2, 0.5, 0.51]]])
    assert found.labels is None and found.gt_labels is None and not found.given
    found.decide()
    assert found.labels.tolist() == [[0, 0, 1]] and found.labels.dtype == np.uint8
    found.probabilities = 1 - found.probabilities
    found.decide()
    assert found.labels.tolist() == [[1, 0, 0]]


def test_given_labels_stay_whatever_the_network_answers():
    found = frame([[[0.2, 0.5, 0.51]]], object_ids=(4,), given=True, labels=np.array([[4, 0, 0]], np.uint8))
    found.decide()
    assert found.labels.tolist() == [[4, 0, 0]] and found.answer.tolist() == [[0, 0, 4]]


def test_the_labels_of_merged_probabilities():
    probabilities = np.array([[[0.5, 0.3, 0.2, 0.1]], [[0.3, 0.4, 0.2, 0.2]]])
    assert labels_of(probabilities, (2, 7)).tolist() == [[2, 7, 0, 0]]
    assert labels_of(np.array([[[0.5, 0.51]]]), (7,)).tolist() == [[0, 7]]


@pytest.mark.parametrize('ids', [(3,), (2, 3, 9)])
def test_one_hot_of_labels_gives_the_labels_back(ids):
    labels = np.array([[0, 3], [3, ids[-1]]], np.uint8)
    probabilities = one_hot(labels, ids)
    assert probabilities.dtype == np.float32 and probabilities.shape == (len(ids), 2, 2)
    np.testing.assert_array_equal(labels_of(probabilities, ids), labels)


@pytest.mark.parametrize('labels, ids', [
    (np.zeros((3, 4)), []), (np.full((2, 2), 5), [5]), ([[0, 9], [9, 0]], [9]), ([[1, 2], [255, 0]], [1, 2, 255]),
    (np.arange(256).reshape(16, 16), list(range(1, 256)))])
def test_ids_of_a_mask(labels, ids):
    assert ids_of(np.asarray(labels, np.uint8)) == ids
