import numpy as np
import pytest

from tempseg_mm.sources.rgb import to_rgb8

RGB = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)


def test_layouts():
    assert np.shares_memory(to_rgb8(RGB), RGB)
    np.testing.assert_array_equal(to_rgb8(RGB), RGB)
    np.testing.assert_array_equal(to_rgb8(np.dstack([RGB, RGB[..., :1]])), RGB)  # alpha is left out
    for gray in (RGB[..., 1], RGB[..., 1:2]):
        np.testing.assert_array_equal(to_rgb8(gray), np.dstack([RGB[..., 1]] * 3))
    assert to_rgb8(RGB[:, ::-1]).flags.c_contiguous


def test_sixteen_bits_are_rounded():
    values = np.array([[0, 128, 129, 385, 386, 65535, 65407, 65406]], np.uint16)
    np.testing.assert_array_equal(to_rgb8(values)[0, :, 0], np.round(values[0] / 257))
    assert to_rgb8(values)[0, :, 0].tolist() == [0, 0, 1, 1, 2, 255, 255, 254]


@pytest.mark.parametrize('image, words', [
    (RGB / 255, r'frame 3 must hold uint8, .* got float64: .* \(image \* 255\).round\(\).astype\(np.uint8\)'),
    (RGB.astype(int), r'got int64: image.astype\(np.uint8\)'),
    (RGB > 4, 'got bool'),
    (np.zeros((3, 2, 5), np.uint8), r'got the shape \(3, 2, 5\): image.transpose\(1, 2, 0\)'),
    (RGB[..., :2], r'got the shape \(2, 4, 2\)$'),
    (RGB[0, 0], r'got the shape \(3,\)$'),
    (np.zeros((0, 4, 3), np.uint8), r'got the shape \(0, 4, 3\)'),
    ([[1]], 'frame 3 must be an array of numpy.* got list'),
])
def test_what_is_no_picture(image, words):
    with pytest.raises(ValueError, match=words):
        to_rgb8(image, 'frame 3')
