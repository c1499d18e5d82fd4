import itertools
import math

import numpy as np
import pytest

from tempseg_mm.evaluation.functional.contour_matching import context_cost, matching_cost, monotone_path, shape_contexts


def slow_contexts(points):
    """The definition, point by point."""
    mean = np.mean([[math.dist(p, q) for q in points] for p in points])
    table = []
    for p in points:
        histogram = np.zeros((5, 12))
        for q in points:
            ring = sum(math.dist(p, q) / mean < edge for edge in (0.125, 0.25, 0.5, 1, 2))
            angle = math.atan2(q[1] - p[1], q[0] - p[0]) % (2 * math.pi)
            if ring:
                histogram[ring - 1, min(int(angle / (math.pi / 6)), 11)] += 1
        table.append(histogram.ravel() / histogram.sum())
    return np.array(table)


@pytest.mark.parametrize('n', [3, 70, 150])  # within a block, and beyond
def test_equals_the_definition(n):
    points = np.random.default_rng(n).random((n, 2)) * 100
    np.testing.assert_allclose(shape_contexts(points), slow_contexts(points.tolist()), atol=1e-12)


def test_two_points_by_hand():
    """Distances 0, 3, 3, 0 have mean 1.5: a point counts itself innermost at angle 0; the other, at 2, is out."""
    contexts = shape_contexts(np.array([[0., 0.], [3., 0.]]))
    expected = np.zeros(60)
    expected[4 * 12] = 1
    np.testing.assert_allclose(contexts, [expected, expected])


@pytest.mark.parametrize('direction, angle_bin', [((1, 0), 0), ((0, 1), 3), ((-1, 0), 6), ((0, -1), 9)])
def test_right_angles_fall_where_matlab_puts_them(direction, angle_bin):
    """Of points on a line, 1 apart, those ahead of the first lie on the edge of a bin."""
    points = np.outer(np.arange(4.0), direction)
    ahead = shape_contexts(points)[0].reshape(5, 12)
    assert ahead[:, angle_bin].sum() == pytest.approx(1 if angle_bin == 0 else ahead.sum() - ahead[4, 0])


def test_just_below_a_full_turn_counts_as_none():
    """MATLAB's rem(angle + 2π, 2π) is 0 for an angle so small that the sum rounds to the number below 2π."""
    points = np.array([[0, 0], [1, -6e-16], [2, 0], [3, 0]])
    assert shape_contexts(points)[0].reshape(5, 12)[:, 11].sum() == 0


def test_cost_by_hand():
    a, b = np.array([[0.5, 0.5, 0]]), np.array([[0.5, 0.5, 0], [0, 0, 1], [0.25, 0.5, 0.25]])
    assert context_cost(a, b)[0].tolist() == pytest.approx([0, 1, 0.5 * (0.0625 / 0.75 + 0.25)])


def test_cost_equals_the_formula():
    rng = np.random.default_rng(0)
    a, b = (rng.random((n, 60)) * (rng.random((n, 60)) < 0.4) for n in (40, 33))
    expected = np.array([[((p - q)**2 / np.where(p + q == 0, 1, p + q)).sum() / 2 for q in b] for p in a])
    np.testing.assert_allclose(context_cost(a, b), expected, atol=1e-12)
    np.testing.assert_allclose(context_cost(b, a), expected.T, atol=1e-12)


def all_paths(row, column):
    if row == column == 0:
        return [[(0, 0)]]
    before = [(row - 1, column), (row, column - 1), (row - 1, column - 1)]
    return [[(row, column), *path] for y, x in before if y >= 0 and x >= 0 for path in all_paths(y, x)]


@pytest.mark.parametrize('shape', list(itertools.product((1, 2, 4), (1, 3, 5))))
def test_the_path_is_the_cheapest_of_all(shape):
    cost = np.random.default_rng(sum(shape)).random(shape)
    paths = all_paths(shape[0] - 1, shape[1] - 1)
    cheapest = min(paths, key=lambda path: sum(cost[cell] for cell in path[:-1]))  # the start is free
    assert [tuple(cell) for cell in monotone_path(cost).tolist()] == cheapest


def test_of_equal_ways_the_diagonal_is_taken():
    assert monotone_path(np.zeros((3, 3))).tolist() == [[2, 2], [1, 1], [0, 0]]
    assert monotone_path(np.zeros((2, 4))).tolist()[:2] == [[1, 3], [0, 2]]


def test_a_shifted_copy_of_a_contour_costs_nothing():
    shape = np.random.default_rng(0).random(12)
    cost = np.abs(shape[:, None] - np.roll(shape, 5))
    assert matching_cost(cost) == 0


def test_every_point_has_one_partner_by_hand():
    """Path (1,1), (1,0), (0,0) [or over (0,1)]: row 1 keeps its cheaper cell, then columns do."""
    cost = np.array([[0.9, 0.8], [0.3, 0.1]])
    # First path: diagonal, anchor (1, 1); shifted by it the matrix is itself, so the path is (1, 1), (0, 0).
    assert matching_cost(cost) == pytest.approx((0.1 + 0.9) / 2)


def test_a_point_against_many():
    assert matching_cost(np.array([[0.5, 0.2, 0.7]])) == pytest.approx(0.2)
    assert matching_cost(np.array([[0.5], [0.2], [0.7]])) == pytest.approx(0.2)
    assert matching_cost(np.array([[0.25]])) == 0.25
