import math

import numpy as np
import pytest

from tempseg_mm.evaluation.functional.shape_context import context_cost, shape_contexts


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
    """Distances 0, 3, 3, 0 have mean 1.5. A point sees itself innermost at angle 0; at 2 means the other is out."""
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
