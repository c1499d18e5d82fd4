import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tempseg_mm.evaluation.functional.temporal import InstabilityChain, main_contour, temporal_instability


def rectangle(height, width, top=2, left=3, shape=(40, 60)):
    mask = np.zeros(shape, bool)
    mask[top:top + height, left:left + width] = True
    return mask


def blob(seed, shape=(60, 90)):
    coarse = np.random.default_rng(seed).random((5, 7)).astype(np.float32)
    return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC) > 0.55


def test_square_against_rectangle_by_hand():
    """A 3×3 square and a 2×3 rectangle keep their four corners, the first twice; diagonal partners are the cheapest.

    Mean distances are 2.46 and 2.07, so the short sides of the rectangle (2 pixels) lie in the ring up to 1, all other
    distances in the ring up to 2. A corner sees one or, where it looks at the corner that counts twice, two of five
    points in another ring: costs 0.2, 0.4, 0.2, 0.2, 0.2, times 5.
    """
    instability = temporal_instability([rectangle(3, 3), rectangle(2, 3)])
    assert instability.per_pair == pytest.approx([5 * 0.24])
    assert instability.mean == pytest.approx(5 * 0.24)


def test_a_still_mask_is_perfectly_stable():
    assert temporal_instability([blob(0)] * 3) == (0, [0, 0])


def test_a_moving_square_is_stable_whatever_its_speed():
    masks = [rectangle(12, 12), rectangle(12, 12, top=9, left=20), rectangle(12, 12, top=28, left=48)]
    assert temporal_instability(masks).per_pair == [0, 0]


def test_a_change_costs_and_more_change_costs_more():
    square, bump, two = rectangle(21, 21), rectangle(21, 21), rectangle(21, 21)
    bump[10:13, 24:30] = two[10:13, 24:30] = two[23:29, 10:13] = True
    small, large = (temporal_instability([square, other]).mean for other in (bump, two))
    assert 0 < small < large


@pytest.mark.parametrize('seed', range(4))
def test_the_place_in_the_image_does_not_matter(seed):
    masks = [blob(seed), blob(seed + 100)]
    moved = [np.pad(mask, ((5, 0), (11, 2))) for mask in masks]
    assert temporal_instability(moved).mean == pytest.approx(temporal_instability(masks).mean, abs=0.02)


@pytest.mark.parametrize('seed', range(4))
def test_mirrored_masks_are_about_as_stable(seed):
    masks = [blob(seed), cv2.dilate(blob(seed).astype(np.uint8), np.ones((3, 5), np.uint8))]
    mirrored = [np.ascontiguousarray(mask[:, ::-1]) for mask in masks]
    assert temporal_instability(mirrored).mean == pytest.approx(temporal_instability(masks).mean, abs=0.3)


@pytest.mark.parametrize('other', [np.zeros((40, 60), bool), rectangle(1, 1), rectangle(1, 3)],
                         ids=['empty', 'one pixel', 'three pixels'])
def test_pairs_without_a_contour_have_no_value(other):
    instability = temporal_instability([rectangle(9, 9), other, rectangle(9, 9), rectangle(9, 9)])
    assert [math.isnan(value) for value in instability.per_pair] == [True, True, False]
    assert instability.mean == 0
    assert math.isnan(temporal_instability([other, other]).mean)


@pytest.mark.parametrize('mask', [np.ones((30, 40), bool), rectangle(40, 10, top=0), rectangle(10, 60, left=0)],
                         ids=['full', 'from top to bottom', 'from side to side'])
def test_masks_that_touch_the_border(mask):
    assert temporal_instability([mask, mask]).mean == 0
    assert main_contour(mask).min() == 0


def test_the_conventions_measure_angles_from_different_axes():
    """Right angles lie on the edges of bins, so the axis matters; float32 decides some of them otherwise too."""
    masks = [rectangle(20, 31), rectangle(17, 40)]
    matlab, python = (temporal_instability(masks, convention).mean for convention in ('matlab', 'python'))
    assert matlab != pytest.approx(python, abs=1e-3)
    transposed = [mask.T for mask in masks]
    assert temporal_instability(transposed, 'python').mean == pytest.approx(matlab, abs=0.1)


def test_the_contour_with_most_corners_counts():
    mask = rectangle(12, 30)
    star = np.zeros((40, 60), np.uint8)
    cv2.fillPoly(star, [np.array([[10, 20], [16, 24], [22, 20], [20, 28], [24, 36], [14, 32], [6, 37]])], 1)
    contour = main_contour(mask | (star > 0))
    assert contour[:, 0].min() >= 18 and len(contour) > 5  # the star, though the rectangle is larger
    assert main_contour(mask).tolist() == [[2, 3], [2, 33], [14, 33], [14, 3], [2, 3]]  # clockwise


def test_of_equals_the_last_in_raster_order_or_the_first():
    mask = rectangle(6, 6) | rectangle(6, 6, top=20)
    assert main_contour(mask)[0].tolist() == [20, 3]
    assert main_contour(mask, last_of_equals=True)[0].tolist() == [2, 3]


def test_holes_run_the_other_way():
    mask = rectangle(20, 20)
    mask[8:14, 8:11] = mask[8:11, 8:16] = False  # an L has more corners than a square
    contour = main_contour(mask)
    (y, x), (next_y, next_x) = contour[:-1].T, contour[1:].T
    assert len(contour) == 7 and ((next_y - y) * (next_x + x)).sum() < 0


def test_a_stream_gives_the_same_and_holds_no_mask():
    masks = [blob(seed) for seed in range(4)]
    chain = InstabilityChain()
    values = [chain.step(mask) for mask in iter(masks)]
    assert values[0] is None and values[1:] == temporal_instability(np.stack(masks)).per_pair
    assert not any(isinstance(value, np.ndarray) and value.shape == masks[0].shape for value in vars(chain).values())


@settings(max_examples=60, deadline=None)
@given(st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(lambda shape: arrays(bool, (3, *shape))))
def test_any_masks_have_a_value_or_none(masks):
    instability = temporal_instability(masks)
    assert len(instability.per_pair) == 2
    assert all(math.isnan(value) or 0 <= value <= 5 for value in instability.per_pair)
    assert temporal_instability([masks[0], masks[0]]).mean in (0, pytest.approx(math.nan, nan_ok=True))


@pytest.mark.parametrize('masks, message', [
    ([rectangle(3, 3)], 'at least two masks, got 1'),
    ([], 'at least two masks, got 0'),
    ([rectangle(3, 3), rectangle(3, 3, shape=(40, 61))], r'one size, got \(40, 61\) after \(40, 60\)'),
    ([np.full((4, 4), 255)] * 2, '0 and 1 only'),
])
def test_other_masks_are_refused(masks, message):
    with pytest.raises(ValueError, match=message):
        temporal_instability(masks)


def test_unknown_conventions_are_refused():
    with pytest.raises(ValueError, match="convention must be one of matlab, python, got 'julia'"):
        temporal_instability([rectangle(3, 3)] * 2, 'julia')
