import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tempseg_mm.evaluation.functional.contours import crack_loops


def mask_of(*rows):
    return np.array([[pixel == '#' for pixel in row] for row in rows])


def corners(mask):
    return [loop.corners.tolist() for loop in crack_loops(mask)]


def test_one_pixel_is_walked_down_from_its_upper_left_corner():
    assert corners(mask_of('..', '.#')) == [[[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]]]


def test_a_full_mask_is_bounded_by_the_image():
    (loop, is_outer), = crack_loops(np.ones((2, 3), bool))
    assert is_outer and len(loop) == 11
    assert (loop.min(0).tolist(), loop.max(0).tolist()) == ([0, 0], [2, 3])


def test_no_object_has_no_loop():
    assert crack_loops(np.zeros((3, 4), bool)) == []


def test_a_hole_is_walked_down_its_left_side_too():
    ring = mask_of('###', '#.#', '###')
    hole, border = crack_loops(ring)  # last in raster order first
    assert border.is_outer and len(border.corners) == 13 and border.corners[:2].tolist() == [[0, 0], [1, 0]]
    assert not hole.is_outer and hole.corners.tolist() == [[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]]


def test_pixels_that_touch_by_a_corner_are_two_loops_that_start_there():
    # Up from the corner the walk is round one pixel and back; the other pixel follows, left first.
    assert corners(mask_of('.#', '#.')) == [
        [[1, 1], [0, 1], [0, 2], [1, 2], [1, 1]], [[1, 1], [1, 0], [2, 0], [2, 1], [1, 1]]]


def test_a_ring_closed_by_a_corner_has_a_hole():
    # The junction at (1, 2) parts the loops so that none comes to it twice: the outer border, and the hole.
    loops = crack_loops(mask_of('##.', '#.#', '###'))
    lengths = sorted((len(loop.corners) - 1, loop.is_outer) for loop in loops)
    assert lengths == [(4, False), (12, True)]
    assert all(loop.corners[0].tolist() == [1, 2] for loop in loops)


def area(loop):
    (y, x), (next_y, next_x) = loop.corners[:-1].T, loop.corners[1:].T
    return abs((y * next_x - next_y * x).sum()) / 2


@settings(max_examples=150, deadline=None)
@given(arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_loops_bound_the_object(mask):
    loops = crack_loops(mask)
    assert sum(area(loop) * (1 if loop.is_outer else -1) for loop in loops) == mask.sum()
    padded = np.pad(mask, 1)
    cracks = (padded[1:] != padded[:-1]).sum() + (padded[:, 1:] != padded[:, :-1]).sum()
    assert sum(len(loop.corners) - 1 for loop in loops) == cracks
    for loop in loops:
        steps = np.diff(loop.corners, axis=0)
        assert (np.abs(steps).sum(1) == 1).all() and loop.corners[0].tolist() == loop.corners[-1].tolist()
        assert len(np.unique(loop.corners[:-1], axis=0)) == len(loop.corners) - 1  # comes to no corner twice


@pytest.mark.parametrize('shape', [(1, 1), (1, 5), (5, 1)])
def test_thin_masks(shape):
    loop, = crack_loops(np.ones(shape, bool))
    assert len(loop.corners) - 1 == 2 * sum(shape)
