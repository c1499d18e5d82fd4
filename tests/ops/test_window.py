import cv2
import numpy as np
import pytest

from tempseg_mm.ops.window import OUTSIDE, Window


def smooth_frame(height, width):
    """Colours that change slowly, so that resampling changes them little."""
    y, x = np.mgrid[:height, :width]
    return np.dstack([255 * x / width, 255 * y / height, 128 + 100 * np.sin(x / 40)]).astype(np.uint8)


def disc(height, width, centre, radius):
    return cv2.circle(np.zeros((height, width), np.uint8), centre, radius, 1, cv2.FILLED)


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def test_at_zoom_one_on_whole_pixels_a_window_is_a_slice():
    frame = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    window = Window.about((30, 25), 1.0, (20, 40), (60, 80))
    np.testing.assert_array_equal(window.crop(frame), frame[15:35, 10:50])
    assert window.zoom == pytest.approx(1)


def test_beyond_the_border_there_is_the_mean_colour_and_no_object():
    window = Window.about((0, 0), 1.0, (20, 20), (60, 80))
    seen = window.crop(np.full((60, 80, 3), 255, np.uint8))
    assert tuple(seen[2, 2]) == OUTSIDE and tuple(seen[15, 15]) == (255, 255, 255)
    assert window.crop_mask(np.ones((60, 80), np.uint8))[2, 2] == 0
    nowhere = Window.about((-300, -300), 0.5, (20, 20), (60, 80))
    assert (nowhere.crop(np.full((60, 80, 3), 255, np.uint8)) == OUTSIDE).all()
    assert not nowhere.paste(np.ones((20, 20), np.float32)).any()


@pytest.mark.parametrize('zoom', [0.2, 0.5, 1.0, 3.0])
@pytest.mark.parametrize('degrees, mirrored', [(0, False), (25, False), (-70, True)])
def test_what_is_pasted_lies_where_it_was_seen(zoom, degrees, mirrored):
    mask = disc(480, 854, (410, 250), 60)
    size = (int(300 * zoom), int(400 * zoom))
    window = Window.about((400.3, 240.9), zoom, size, (480, 854), degrees=degrees, mirrored=mirrored)
    back = window.paste(window.crop_mask(mask).astype(np.float32)) > 0.5
    assert iou(back, mask > 0) > 1 - 0.03 / min(1, zoom)


def test_turning_is_counter_clockwise_and_mirroring_swaps_left_and_right():
    frame = np.zeros((41, 41, 3), np.uint8)
    frame[20, 30:40] = 255  # a ray to the right
    turned = Window.about((20.5, 20.5), 1.0, (41, 41), (41, 41), degrees=90).crop(frame)
    assert turned[1:11, 20].min() > 250  # upwards
    mirrored = Window.about((20.5, 20.5), 1.0, (41, 41), (41, 41), mirrored=True).crop(frame)
    assert mirrored[20, 1:11].min() > 250


@pytest.mark.parametrize('zoom', [0.3, 1.0, 2.0])
def test_a_smaller_copy_of_the_frame_shows_the_same(zoom):
    frame = smooth_frame(240, 320)
    small = cv2.resize(frame, (160, 120), interpolation=cv2.INTER_AREA)
    window = Window.about((150, 130), zoom, (60, 60), (240, 320))
    assert np.abs(window.crop(frame).astype(int) - window.crop(small)).max() <= 6


def test_shrinking_averages_and_does_not_skip_pixels():
    frame = np.zeros((200, 200, 3), np.uint8)
    frame[::2] = 255  # stripes one pixel high
    seen = Window.about((100, 100), 0.1, (16, 16), (200, 200)).crop(frame)
    assert np.abs(seen.astype(int) - 127).max() <= 3


def seen_exactly(window, image, samples=8):
    """Means of 8x8 looks into each pixel of a window."""
    height, width = window.size
    at = np.stack(np.meshgrid(*((np.arange(samples * side) + 0.5) / samples - 0.5 for side in (width, height))), -1)
    looks = cv2.transform(at, window.inverse).astype(np.float32)
    values = cv2.remap(image.astype(np.float32), looks, None, cv2.INTER_LINEAR)
    return cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize('zoom', [0.15, 0.3, 0.6, 0.95])
@pytest.mark.parametrize('degrees, mirrored', [(0, False), (20, True)])
def test_a_shrunk_mask_shows_what_the_object_covers_by_more_than_half(zoom, degrees, mirrored):
    mask = disc(300, 400, (190, 160), 70) | disc(300, 400, (230, 120), 40)
    window = Window.about((200.3, 150.6), zoom, (int(200 * zoom), int(300 * zoom)), (300, 400), degrees=degrees,
                          mirrored=mirrored)
    wrong = window.crop_mask(mask) != (seen_exactly(window, mask) > 0.5)
    assert wrong.sum() <= 0.01 * wrong.size


@pytest.mark.parametrize('zoom', [0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.95])
def test_a_shrunk_view_is_as_smooth_as_means_of_areas_that_are_looked_up(zoom):
    frame = np.random.default_rng(1).integers(0, 256, (300, 400, 3), dtype=np.uint8)  # noise, the worst case
    window = Window.about((200.3, 150.6), zoom, (int(200 * zoom), int(300 * zoom)), (300, 400), degrees=20)
    means = cv2.resize(frame, (round(400 * zoom), round(300 * zoom)), interpolation=cv2.INTER_AREA)
    scale = np.array([400 / means.shape[1], 300 / means.shape[0]])
    turned = window.matrix[:, :2] * scale
    expected = cv2.warpAffine(
        means, np.column_stack([turned, window.matrix @ (*(0.5 * scale - 0.5), 1)]), window.size[::-1])
    seen = window.crop(frame)
    assert 0.8 < seen.std() / expected.std() < 1.2  # a linear look-up alone: 1.4 to 10
    assert np.corrcoef(seen.ravel(), expected.ravel())[0, 1] > 0.7  # a shift of a pixel: below 0.5


def test_flow_is_scaled_turned_and_mirrored_with_the_pixels():
    flow = np.zeros((48, 64, 2), np.float32)
    flow[..., 0] = 4
    size = (20, 20)
    np.testing.assert_allclose(Window.about((32, 24), 0.5, size, (48, 64)).crop_flow(flow)[..., 0], 2, rtol=1e-5)
    np.testing.assert_allclose(
        Window.about((32, 24), 1.0, size, (48, 64), mirrored=True).crop_flow(flow)[..., 0], -4, rtol=1e-5)
    up = Window.about((32, 24), 1.0, size, (48, 64), degrees=90).crop_flow(flow)
    np.testing.assert_allclose(up[10, 10], (0, -4), atol=1e-5)
    # A copy of half the size: the same motion is half as many of its pixels.
    half = Window.about((32, 24), 1.0, size, (48, 64)).crop_flow(flow[::2, ::2] / 2)
    np.testing.assert_allclose(half[10, 10], (4, 0), atol=1e-5)


def test_extent_is_what_is_seen():
    window = Window.about((30, 25), 0.5, (10, 20), (60, 80))
    assert window.extent((60, 80), margin=0) == (10, 15, 50, 35) or window.extent((60, 80), margin=0) == (9, 14, 51, 36)
    left, top, right, bottom = window.extent((60, 80))
    assert left <= 10 and top <= 15 and right >= 50 and bottom >= 35
