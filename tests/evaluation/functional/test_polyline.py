import numpy as np
import pytest

from tempseg_mm.evaluation.functional.polyline import resample, simplify


def slow_simplify(points, tolerance):
    """The definition, recursively and point by point."""
    kept = points[:1]
    for point in points[1:-1]:
        if (point[0] - kept[-1][0])**2 + (point[1] - kept[-1][1])**2 >= tolerance**2:
            kept.append(point)
    kept.append(points[-1])

    def distance(p, a, b):
        v = (b[0] - a[0], b[1] - a[1])
        square = v[0]**2 + v[1]**2
        t = ((p[0] - a[0]) * v[0] + (p[1] - a[1]) * v[1]) / square if square else 0
        t = min(max(t, 0), 1)
        return (p[0] - a[0] - t * v[0])**2 + (p[1] - a[1] - t * v[1])**2

    def split(a, b):
        far, place = -1, None
        for i in range(a + 1, b):
            if distance(kept[i], kept[a], kept[b]) >= far:
                far, place = distance(kept[i], kept[a], kept[b]), i
        return split(a, place) + [place] + split(place, b) if far > tolerance**2 else []

    return [kept[i] for i in [0, *split(0, len(kept) - 1), len(kept) - 1]]


@pytest.mark.parametrize('seed', range(10))
@pytest.mark.parametrize('tolerance', [0.3, 2.0])
def test_equals_the_definition_on_random_walks(seed, tolerance):
    steps = np.random.default_rng(seed).normal(0, 1, (60, 2))
    points = np.cumsum(steps, axis=0)
    expected = slow_simplify([tuple(point) for point in points.tolist()], tolerance)
    np.testing.assert_array_equal(simplify(points, tolerance), expected)


def test_corners_of_a_closed_square_stay():
    side = [(0, x) for x in range(5)] + [(y, 5) for y in range(5)] + [(5, 5 - x) for x in range(5)] + [
        (5 - y, 0) for y in range(5)]
    points = np.array([*side, (0, 0)], float)
    assert simplify(points, 0.5).tolist() == [[0, 0], [0, 5], [5, 5], [5, 0], [0, 0]]


def test_of_equally_far_points_the_last_is_kept():
    points = np.array([(0, 0), (1, 1), (1, 2), (1, 3), (0, 4)], float)
    # (1, 3) comes first; then (1, 1) and (1, 2) are within one pixel of the line to it.
    assert simplify(points, 0.9).tolist() == [[0, 0], [1, 3], [0, 4]]


def test_near_points_go_but_the_last_stays():
    points = np.array([(0, 0), (0, 1), (0, 2), (0, 2.5)], float)
    assert simplify(points, 1.5).tolist() == [[0, 0], [0, 2.5]]


def test_resample_by_hand():
    points = np.array([(0, 0), (0, 3), (7, 3), (7, 9)], float)
    assert resample(points, 3).tolist() == [
        [0, 0], [0, 3], [7 / 3, 3], [14 / 3, 3], [7, 3], [7, 6], [7, 9]]  # 3 is not longer than 3


def test_resample_keeps_the_precision():
    assert resample(np.array([(0, 0), (0, 10)], np.float32), 3).dtype == np.float32


def test_a_single_point():
    point = np.array([(2.0, 3.0)])
    np.testing.assert_array_equal(simplify(point, 1), point)
    np.testing.assert_array_equal(resample(point, 1), point)
