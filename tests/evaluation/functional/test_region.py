import numpy as np
import pytest

from tempseg_mm.evaluation.functional.region import mean_similarity, region_similarity


def test_hand_worked_value():
    pred = np.array([[1, 1, 0], [1, 0, 0]], np.uint8)
    gt = np.array([[0, 1, 1], [1, 0, 0]], np.uint8)
    assert region_similarity(pred, gt) == 2 / 4


@pytest.mark.parametrize('pred, gt, expected', [(0, 0, 1.0), (1, 0, 0.0), (0, 1, 0.0), (1, 1, 1.0)])
def test_empty_and_full_masks(pred, gt, expected):
    assert region_similarity(np.full((3, 4), pred), np.full((3, 4), gt)) == expected


def test_the_score_is_a_python_float():
    assert type(region_similarity(np.ones((2, 2), bool), np.ones((2, 2), bool))) is float


def test_masks_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match=r'\(4, 4\).*\(4, 5\)'):
        region_similarity(np.ones((4, 4), bool), np.ones((4, 5), bool))


def test_void_pixels_count_in_neither_mask():
    pred = np.array([[1, 1, 0], [1, 0, 0]], np.uint8)
    gt = np.array([[0, 1, 1], [1, 0, 0]], np.uint8)
    void = np.array([[1, 0, 0], [0, 0, 1]], bool)
    assert region_similarity(pred, gt, void) == 2 / 3
    assert region_similarity(pred, gt, np.ones((2, 3), bool)) == 1


def test_the_mean_over_the_objects_that_a_frame_shows():
    pred, gt = np.array([[3, 3, 0, 0, 9]], np.uint8), np.array([[3, 0, 7, 0, 9]], np.uint8)
    assert mean_similarity(pred, gt) == (0.5 + 0 + 1) / 3
    assert mean_similarity(pred, gt * (gt != 7), gt == 7) == (0.5 + 1) / 2
    assert mean_similarity(pred * 0, gt * 0) == 1
