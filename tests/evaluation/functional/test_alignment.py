import itertools

import numpy as np
import pytest

from tempseg_mm.evaluation.functional.alignment import matching_cost, monotone_path


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
