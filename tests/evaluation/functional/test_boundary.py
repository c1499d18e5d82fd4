import math

import numpy as np
import pytest

from tempseg_mm.evaluation.functional.boundary import boundary_map, contour_accuracy


def slow_boundary(mask):
    """The definition, pixel by pixel: unlike its right, lower or lower-right neighbour, where there is one."""
    height, width = mask.shape
    return {
        (y, x)
        for y in range(height) for x in range(width) for dy, dx in ((0, 1), (1, 0), (1, 1))
        if y + dy < height and x + dx < width and mask[y, x] != mask[y + dy, x + dx]}


def slow_accuracy(pred, gt, bound_th):
    """The definition by distances between single pixels, without dilation or image library."""
    radius = math.ceil(bound_th if bound_th >= 1 else bound_th * math.sqrt(pred.shape[0]**2 + pred.shape[1]**2))
    pred, gt = slow_boundary(pred), slow_boundary(gt)
    if not pred and not gt:
        return 1.0
    if not pred or not gt:
        return 0.0

    def share(points, others):
        near = [any((y - v)**2 + (x - u)**2 <= radius**2 for v, u in others) for y, x in points]
        return sum(near) / len(near)

    precision, recall = share(pred, gt), share(gt, pred)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def square(top, left, side=4, shape=(12, 14)):
    mask = np.zeros(shape, np.uint8)
    mask[top:top + side, left:left + side] = 1
    return mask


def test_boundary_of_one_pixel_by_hand():
    mask = np.zeros((4, 4), np.uint8)
    mask[2, 2] = 1
    assert boundary_map(mask).astype(int).tolist() == [[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]


def test_the_image_border_is_no_boundary():
    assert not boundary_map(np.ones((5, 6), bool)).any()


def test_the_last_row_and_column_look_one_way_only():
    mask = np.zeros((3, 3), np.uint8)
    mask[2, 1] = mask[0, 2] = 1
    assert boundary_map(mask).astype(int).tolist() == [[0, 1, 1], [1, 1, 0], [1, 1, 0]]


@pytest.mark.parametrize('pred, gt, expected', [(0, 0, 1.0), (1, 1, 1.0), (0, 1, 1.0)])
def test_masks_without_boundary_agree(pred, gt, expected):
    assert contour_accuracy(np.full((5, 5), pred), np.full((5, 5), gt)) == expected


def test_one_boundary_against_none_scores_zero():
    assert contour_accuracy(square(3, 3), np.zeros((12, 14), np.uint8)) == 0
    assert contour_accuracy(np.ones((12, 14), np.uint8), square(3, 3)) == 0


def test_a_half_disk_by_hand():
    """Two vertical edges three pixels apart meet at a tolerance of three and not of two."""
    pred, gt = np.zeros((6, 10), np.uint8), np.zeros((6, 10), np.uint8)
    pred[:, :3], gt[:, :6] = 1, 1
    assert contour_accuracy(pred, gt, bound_th=3) == 1
    assert contour_accuracy(pred, gt, bound_th=2) == 0


def test_precision_and_recall_are_combined_by_hand():
    """Of two edges predicted one is right, and the one true edge is found: P = 1/2, R = 1, F = 2/3."""
    pred, gt = np.zeros((6, 20), np.uint8), np.zeros((6, 20), np.uint8)
    pred[:, 3:15], gt[:, 3:] = 1, 1
    assert contour_accuracy(pred, gt, bound_th=1) == pytest.approx(2 / 3)


def test_the_tolerance_is_a_share_of_the_diagonal_rounded_up():
    pred, gt = np.zeros((30, 40), np.uint8), np.zeros((30, 40), np.uint8)  # diagonal 50
    pred[:, :10], gt[:, :12] = 1, 1
    assert contour_accuracy(pred, gt, bound_th=0.021) == 1  # ceil(1.05) = 2
    assert contour_accuracy(pred, gt, bound_th=0.019) == 0  # ceil(0.95) = 1


@pytest.mark.parametrize('seed', range(30))
def test_equals_the_definition_on_random_masks(seed):
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 24, 2)
    coarse = rng.random((2, 6, 6)) > rng.choice([0.3, 0.6, 0.95])
    pred, gt = (np.kron(c, np.ones((4, 4), bool))[:height, :width] for c in coarse)
    bound_th = float(rng.choice([0.008, 0.1, 1, 2, 3]))
    assert set(zip(*np.nonzero(boundary_map(pred)), strict=True)) == slow_boundary(pred)
    assert contour_accuracy(pred, gt, bound_th) == pytest.approx(slow_accuracy(pred, gt, bound_th), abs=1e-12)


@pytest.mark.parametrize('bound_th', [0, -1, float('nan')])
def test_a_tolerance_must_be_positive(bound_th):
    with pytest.raises(ValueError, match='bound_th must be positive'):
        contour_accuracy(square(1, 1), square(1, 1), bound_th)


def test_masks_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match=r'\(12, 14\).*\(12, 13\)'):
        contour_accuracy(square(1, 1), square(1, 1, shape=(12, 13)))


def test_both_masks_are_cleared_where_void():
    pred, gt = np.zeros((12, 20), bool), np.zeros((12, 20), bool)
    gt[2:10, 2:8], pred[2:10, 2:16] = True, True
    void = np.zeros((12, 20), bool)
    void[:, 8:17] = True
    assert contour_accuracy(pred, gt, 1) < 1 == contour_accuracy(pred, gt, 1, void)
    cleared = contour_accuracy(pred & ~void[::-1, ::-1], gt & ~void[::-1, ::-1], 1)
    assert contour_accuracy(pred, gt, 1, void[::-1, ::-1]) == cleared
