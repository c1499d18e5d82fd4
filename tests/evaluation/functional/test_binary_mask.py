import numpy as np
import pytest

from tempseg_mm.evaluation.functional.binary_mask import as_binary_mask, as_binary_pair, without_void


@pytest.mark.parametrize('dtype', [bool, np.uint8, np.int64])
def test_bool_and_01_integers_are_the_same_mask(dtype):
    mask = as_binary_mask(np.array([[0, 1], [1, 0]], dtype).T)
    assert mask.dtype == bool
    assert mask.tolist() == [[False, True], [True, False]]


@pytest.mark.parametrize('mask, message', [
    (np.array([[0, 255]], np.uint8), 'values 0 to 255; use `mask > 0`'),
    (np.array([[-1, 1]]), 'values -1 to 1'),
    (np.array([[0.2, 0.9]]), 'threshold probabilities first'),
    (np.zeros((1, 2, 3), bool), r'mask must be \(H, W\), got shape \(1, 2, 3\)'),
])
def test_anything_else_is_refused(mask, message):
    with pytest.raises(ValueError, match=message):
        as_binary_mask(mask)


def test_a_pair_has_one_shape_and_the_message_names_both():
    with pytest.raises(ValueError, match=r'predicted mask is \(2, 3\), the ground truth \(3, 2\)'):
        as_binary_pair(np.zeros((2, 3), bool), np.zeros((3, 2), bool))


def test_the_message_says_which_of_the_pair_is_wrong():
    with pytest.raises(ValueError, match='the ground truth must hold 0 and 1'):
        as_binary_pair(np.zeros((1, 1), bool), np.full((1, 1), 7))


def test_void_has_the_shape_of_the_mask():
    mask = np.ones((2, 3), bool)
    assert without_void(mask, None) is mask
    np.testing.assert_array_equal(without_void(mask, np.array([[0, 1, 0], [0, 0, 1]])), [[1, 0, 1], [1, 1, 0]])
    with pytest.raises(ValueError, match=r'void is \(3, 2\), the mask \(2, 3\)'):
        without_void(mask, np.zeros((3, 2), bool))
