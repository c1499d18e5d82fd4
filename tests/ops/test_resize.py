import numpy as np
import pytest

from tempseg_mm.ops.resize import resize_flow, resize_image, resize_mask, target_size


@pytest.mark.parametrize(('size', 'stored', 'expected'), [
    (None, (97, 131), (97, 131)),
    ((60, 70), (97, 131), (60, 70)),
    ([60, 70], (97, 131), (60, 70)),
    (240, (480, 854), (240, 427)),
    (128, (480, 854), (128, 228)),  # 227.73
    (50, (131, 97), (68, 50)),  # 67.53
    (97, (97, 97), (97, 97)),
])
def test_target_size(size, stored, expected):
    assert target_size(size, stored) == expected


@pytest.mark.parametrize('size', [0, -5, (10,), (10, 0), 'small', True, (1.5, 2)])
def test_bad_size(size):
    with pytest.raises(ValueError, match='size must be None, the shorter side'):
        target_size(size, (97, 131))


def test_image_shrinks_by_means():
    image = np.zeros((4, 4, 3), np.uint8)
    image[:2, :2] = [[[0, 40, 80], [0, 40, 80]], [[100, 40, 80], [100, 40, 80]]]
    np.testing.assert_array_equal(resize_image(image, (2, 2))[0, 0], [50, 40, 80])
    assert resize_image(image, (9, 7)).shape == (9, 7, 3)


def test_mask_needs_half_of_a_pixel():
    mask = np.array([[1, 1, 1, 0], [0, 0, 0, 0]], np.uint8)
    np.testing.assert_array_equal(resize_mask(mask, (1, 2)), [[1, 0]])  # covered 2/4 and 1/4
    np.testing.assert_array_equal(resize_mask(mask[:1], (2, 8)), [[1, 1, 1, 1, 1, 1, 0, 0]] * 2)
    assert resize_mask(mask, (1, 2)).dtype == np.uint8


def test_flow_vectors_scale_with_their_axis():
    flow = np.broadcast_to(np.float32([3, -2]), (8, 6, 2)).copy()
    small = resize_flow(flow, (4, 2))
    np.testing.assert_allclose(small, np.broadcast_to(np.float32([1, -1]), (4, 2, 2)), rtol=1e-6)
    np.testing.assert_allclose(resize_flow(small, (8, 6)), flow, rtol=1e-6)
    assert small.dtype == np.float32


def test_same_size_is_untouched():
    mask, flow = np.ones((3, 4), np.uint8), np.ones((3, 4, 2), np.float32)
    assert resize_mask(mask, (3, 4)) is mask and resize_flow(flow, (3, 4)) is flow
