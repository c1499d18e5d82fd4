import cv2
import numpy as np
import pytest

from tempseg_mm.datasets.transforms.object_window import ClipObjectWindow
from tempseg_mm.ops.object_window import ObjectWindow, box_of_mask

WINDOW = dict(type='ObjectWindow', size=(48, 64), share=0.5)


def clip(size=(120, 160), radius=14, flow=(3.0, 1.0)):
    masks = [cv2.circle(np.zeros(size, np.uint8), (60 + 3 * t, 60 + t), radius, 1, cv2.FILLED) for t in range(2)]
    frames = [np.repeat(mask[..., None] * np.uint8(200), 3, 2) for mask in masks]
    return dict(frames=frames, gt_masks=masks, flow=[np.full((*size, 2), flow, np.float32)])


def test_all_of_a_clip_is_seen_through_one_window():
    results = ClipObjectWindow(WINDOW).transform(clip())
    for frame, mask in zip(results['frames'], results['gt_masks']):
        assert frame.shape == (48, 64, 3) and mask.shape == (48, 64) and set(np.unique(mask)) == {0, 1}
        assert ((frame[..., 0] > 100) == (mask > 0)).mean() > 0.97  # rounded apart at the outline only
    (flow,) = results['flow']
    assert flow.shape == (48, 64, 2) and flow.dtype == np.float32
    first, second = (np.array(np.nonzero(mask)).mean(1)[::-1] for mask in results['gt_masks'])
    np.testing.assert_allclose(flow[24, 32], second - first, atol=0.6)


def test_without_draws_it_is_the_window_that_prediction_starts_from():
    plain = ClipObjectWindow(ObjectWindow((48, 64), 0.5), (1, 1), shift=0, degrees=0, flip=0)
    masks = clip()['gt_masks'][:1]
    expected = ObjectWindow((48, 64), 0.5).around(box_of_mask(masks[0]), (120, 160))
    np.testing.assert_array_equal(plain.draw((120, 160), masks).matrix, expected.matrix)


def test_zooms_fill_their_range():
    transform = ClipObjectWindow(WINDOW, (0.6, 1.6), shift=0)
    plain = ObjectWindow((48, 64), 0.5).around(box_of_mask(clip()['gt_masks'][0]), (120, 160)).zoom
    zooms = [transform.draw((120, 160), clip()['gt_masks'][:1]).zoom / plain for _ in range(300)]
    assert min(zooms) < 0.7 and max(zooms) > 1.5 and 0.59 < min(zooms) and max(zooms) < 1.61


def test_without_an_object_the_window_lies_anywhere():
    transform = ClipObjectWindow(WINDOW)
    empty = [np.zeros((120, 160), np.uint8)] * 2
    matrices = {transform.draw((120, 160), empty).matrix.tobytes() for _ in range(20)}
    assert len(matrices) == 20


def test_an_object_that_shows_in_one_frame_only_is_found():
    masks = clip()['gt_masks']
    for _ in range(20):
        window = ClipObjectWindow(WINDOW, shift=0).draw((120, 160), [np.zeros_like(masks[0]), masks[1]])
        assert window.crop_mask(masks[1]).sum() > 100


@pytest.mark.parametrize('setting, fault', [
    (dict(scale=(0, 1)), 'scale'), (dict(scale=(2, 1)), 'scale'), (dict(flip=2), 'flip'), (dict(elsewhere=-1), 'else')])
def test_settings_out_of_range_are_refused(setting, fault):
    with pytest.raises(ValueError, match=fault):
        ClipObjectWindow(WINDOW, **setting)


def test_an_object_of_which_a_part_is_shown_is_seen_in_the_window_that_all_of_it_would_fit():
    plain = ClipObjectWindow(ObjectWindow((48, 64), 0.5), (1, 1), shift=0, degrees=0, flip=0)
    masks = clip()['gt_masks']
    zooms = [plain.draw((120, 160), masks, shown).zoom for shown in (None, [1.0, 1.0], [0.25, 0.25])]
    assert zooms[0] == zooms[1] == pytest.approx(2 * zooms[2])


def test_a_clip_is_seen_in_windows_of_the_shape_that_prediction_uses():
    window = ObjectWindow((48, 64), 0.5, aspect=(0.5, 2.0))
    upright = np.zeros((120, 160), np.uint8)
    upright[40:80, 60:80] = 1
    for _ in range(5):
        drawn = ClipObjectWindow(window).draw((120, 160), [np.zeros_like(upright), upright])
        assert drawn.size == window.shaped(box_of_mask(upright)).size == (80, 32)


def test_void_is_seen_through_the_same_window_and_does_not_move_it():
    void = [mask[::-1].copy() for mask in clip()['gt_masks']]
    results = ClipObjectWindow(WINDOW).transform(dict(clip(), void=[1 - mask for mask in clip()['gt_masks']]))
    for mask, rest in zip(results['gt_masks'], results['void'], strict=True):
        assert rest.dtype == np.uint8 and ((mask + rest) == 1).mean() > 0.9  # neither beyond the border of the frame
    np.random.seed(0)
    with_it = ClipObjectWindow(WINDOW).transform(dict(clip(), void=void))
    np.random.seed(0)
    without = ClipObjectWindow(WINDOW).transform(clip())
    np.testing.assert_array_equal(with_it['gt_masks'], without['gt_masks'])
