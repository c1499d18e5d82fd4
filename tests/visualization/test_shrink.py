import numpy as np
import pytest

from tempseg_mm.visualization.shrink import fit_shorter_side, fit_width


def picture(height, width):
    return np.full((height, width, 3), 3, np.uint8)


def test_a_wide_picture_is_shrunk_in_proportion():
    assert fit_width(picture(100, 200), 50).shape == (25, 50, 3)
    assert fit_width(np.zeros((1, 300), np.uint8), 30).shape == (1, 30)


@pytest.mark.parametrize('size, expected', [((100, 200), (40, 80)), ((300, 150), (80, 40)), ((480, 854), (40, 71))])
def test_the_shorter_side_is_what_counts(size, expected):
    assert fit_shorter_side(picture(*size), 40).shape == (*expected, 3)
    assert fit_shorter_side(np.zeros(size, np.uint8), 40, labels=True).shape == expected


def test_a_small_picture_is_left_alone():
    small = picture(10, 20)
    assert fit_width(small, 20) is small
    assert fit_shorter_side(small, 10) is small


def test_labels_are_not_mixed():
    mask = np.random.default_rng(0).integers(0, 2, (64, 64)).astype(np.uint8) * 7
    assert set(np.unique(fit_width(mask, 20, labels=True))) == {0, 7}
    assert len(np.unique(fit_width(mask, 20))) > 2
    assert set(np.unique(fit_shorter_side(mask, 20, labels=True))) == {0, 7}
