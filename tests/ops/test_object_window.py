import numpy as np
import pytest

from tempseg_mm.ops.object_window import ObjectWindow, box_of, box_of_mask
from tempseg_mm.registry import TASK_UTILS

FRAME = (480, 854)


def seen_by(window):
    """(left, top, right, bottom) in edge coordinates of the frame."""
    h, w = window.size
    corners = np.array([[-0.5, -0.5, 1], [w - 0.5, h - 0.5, 1]]) @ window.inverse.T + 0.5
    return (*corners[0], *corners[1])


@pytest.mark.parametrize('box', [(400, 200, 440, 264), (300, 100, 420, 300), (100, 200, 300, 230)])
def test_the_object_has_its_share_of_the_window_whatever_its_size(box):
    chosen = ObjectWindow((128, 224), share=0.5, max_zoom=10).around(box, FRAME)
    left, top, right, bottom = seen_by(chosen)
    shares = (box[2] - box[0]) / (right - left), (box[3] - box[1]) / (bottom - top)
    assert max(shares) == pytest.approx(0.5)
    assert (right - left) / (bottom - top) == pytest.approx(224 / 128)


def test_a_window_stays_within_the_frame_where_it_fits():
    left, top, right, bottom = seen_by(ObjectWindow().around((0, 0, 60, 60), FRAME))
    assert (left, top) == pytest.approx((0, 0)) and right < 854 and bottom < 480
    left, top, right, bottom = seen_by(ObjectWindow().around((820, 440, 854, 480), FRAME))
    assert (right, bottom) == pytest.approx((854, 480))


def test_an_object_as_large_as_the_frame_gets_a_window_of_all_of_it():
    policy = ObjectWindow()
    for window in (policy.around((0, 0, 854, 480), FRAME), policy.whole(FRAME)):
        left, top, right, bottom = seen_by(window)
        assert left <= 1e-9 and top <= 1e-9 and right >= 854 - 1e-9 and bottom >= 480 - 1e-9
        assert window.zoom == pytest.approx(224 / 854)
    upright = policy.around((0, 0, 480, 854), (854, 480))
    left, top, right, bottom = seen_by(upright)
    assert (top, bottom) == pytest.approx((0, 854)) and (left + right) / 2 == pytest.approx(240)


def test_a_tiny_object_is_enlarged_up_to_a_limit():
    assert ObjectWindow(max_zoom=4).around((400, 200, 402, 202), FRAME).zoom == pytest.approx(4)
    assert ObjectWindow(max_zoom=4).around((3, 3, 3, 3), (10, 10)).zoom == pytest.approx(12.8)  # fills the window


def test_looking_wider_ends_with_the_whole_frame():
    policy = ObjectWindow()
    window = policy.around((400, 200, 440, 264), FRAME)
    again = policy.wider(window, 1.25)
    assert again.zoom == pytest.approx(window.zoom / 1.25)
    for _ in range(20):
        again = policy.wider(again, 1.25)
    np.testing.assert_allclose(again.matrix, policy.whole(FRAME).matrix, atol=1e-9)


def test_zoom_and_shift_come_on_top():
    policy, box = ObjectWindow(max_zoom=10), (400, 200, 440, 240)
    assert policy.around(box, FRAME, zoom=1.5).zoom == pytest.approx(1.5 * policy.around(box, FRAME).zoom)
    moved = seen_by(policy.around(box, FRAME, shift=(0.5, 0)))
    assert moved[0] - seen_by(policy.around(box, FRAME))[0] == pytest.approx(20)


@pytest.mark.parametrize('box, size, larger', [
    ((100, 100, 300, 300), (256, 256), 4 / 3), ((100, 100, 250, 400), (352, 176), 11 / 6),
    ((100, 100, 140, 400), (352, 176), 11 / 6), ((100, 100, 450, 300), (192, 336), 1),
    ((100, 100, 500, 200), (160, 400), 25 / 21)])
def test_a_shaped_window_shows_an_object_larger_at_the_same_cost(box, size, larger):
    policy = ObjectWindow((192, 336), share=0.6, max_zoom=10, aspect=(0.5, 2.5))
    shaped = policy.shaped(box)
    assert shaped.size == size and size[0] * size[1] == pytest.approx(192 * 336, rel=0.05)
    frame = (1080, 1920)
    assert shaped.around(box, frame).zoom == pytest.approx(larger * policy.around(box, frame).zoom)


def test_a_small_object_is_not_enlarged_by_the_shape_of_its_window():
    policy = ObjectWindow((192, 336), share=0.6, aspect=(0.5, 2.5))
    assert policy.shaped((0, 0, 160, 160)).size == (256, 256)
    assert policy.shaped((0, 0, 150, 150)) == policy  # 0.6 * 256 / 150 > 1


def test_without_limits_or_an_object_all_windows_have_one_size():
    upright = (100, 100, 300, 500)
    assert ObjectWindow().shaped(upright) == ObjectWindow()
    policy = ObjectWindow(aspect=[0.5, 2])
    assert policy.shaped(None) == policy
    assert policy.shaped(upright).sized(policy.size) == policy
    assert min(ObjectWindow((8, 8), aspect=(0.1, 9)).shaped((0, 0, 50, 990)).size) == 16


def test_strays_do_not_stretch_a_box():
    mask = np.zeros((100, 100), np.uint8)
    mask[40:60, 30:50] = 1
    assert box_of_mask(mask) == (30, 40, 50, 60)
    mask[0, 99] = mask[99, 0] = 1
    assert box_of_mask(mask) == (30, 40, 50, 60)
    assert box_of_mask(np.zeros((5, 5), np.uint8)) is None


@pytest.mark.parametrize('setting, fault', [
    (dict(size=(0, 5)), 'size'), (dict(share=0), 'share'), (dict(share=1.5), 'share'), (dict(max_zoom=0), 'max_zoom'),
    (dict(aspect=(2, 1)), 'aspect'), (dict(aspect=(0, 1)), 'aspect'), (dict(aspect=(1,)), 'aspect')])
def test_settings_out_of_range_are_refused(setting, fault):
    with pytest.raises(ValueError, match=fault):
        ObjectWindow(**setting)


def test_it_is_built_from_a_config():
    assert TASK_UTILS.build(dict(type='ObjectWindow', size=[64, 64])) == ObjectWindow((64, 64))


def test_the_box_of_a_mask_is_that_of_its_pixels():
    generator = np.random.default_rng(0)
    for share in (0.001, 0.01, 0.2, 0.9, 1.0):
        mask = (generator.random((37, 61)) < share).astype(np.uint8) * np.uint8(9)
        y, x = np.nonzero(mask)
        assert box_of_mask(mask) == box_of(x, y)
