import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tempseg_mm.visualization.report.thumbnails import ThumbnailKeeper

IMAGE = np.zeros((4, 6, 3), np.uint8)
LABELS = np.zeros((4, 6), np.uint8)


def keep(values, **settings):
    keeper = ThumbnailKeeper(**settings)
    for index, value in enumerate(values):
        keeper.add(index, IMAGE, LABELS, value)
    return [index for index, _ in keeper.thumbnails]


def test_the_highest_by_hand():
    assert keep([None, 0.2, 0.1, 0.5, 0.0, 0.3], num=3) == [1, 3, 5]
    assert keep([None, 0.2, 0.1, 0.5, 0.0, 0.3]) == [1, 2, 3, 5]  # what did not change at all is no thumbnail


def test_neighbours_of_a_better_one_give_way():
    values = [0.01] * 40
    values[20], values[21], values[30] = 0.5, 0.6, 0.4
    assert keep(values, num=2, spacing=10) == [21, 30]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=120), st.integers(1, 6))
def test_few_far_apart_and_the_highest_among_them(values, num):
    kept = keep(values, num=num, spacing=10)
    assert len(kept) <= num
    assert all(after - before >= -(-len(values) // 10) for before, after in zip(kept, kept[1:]))
    assert max(values) == 0 and kept == [] or max(values) in [values[index] for index in kept]


def test_a_thumbnail_is_a_small_overlay():
    image, labels = np.full((100, 200, 3), 90, np.uint8), np.zeros((100, 200), np.uint8)
    labels[20:80, 20:80], labels[20:80, 120:180] = 1, 2
    keeper = ThumbnailKeeper(width=100)
    keeper.add(0, image, labels, 0.5, gt_mask=labels == 1)
    (index, picture), = keeper.thumbnails
    assert index == 0 and picture.shape == (50, 100, 3)
    assert picture[25, 25, 0] > picture[25, 25, 2] + 50  # object 1 is red, 2 blue
    assert picture[25, 75, 2] > picture[25, 75, 0] + 50
    assert (picture == (64, 255, 96)).all(-1).any()


def test_wrong_numbers_are_named():
    with pytest.raises(ValueError, match='at least 1, got 0, 320 and 20'):
        ThumbnailKeeper(0)
