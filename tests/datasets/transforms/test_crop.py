import numpy as np
import pytest

from tempseg_mm.datasets.transforms.crop import ClipRandomWindow


def clip(height=48, width=80):
    """Pixels that say where they are from: row in red, column in green."""
    rows, columns = np.mgrid[:height, :width]
    frame = np.dstack([rows, columns, np.zeros_like(rows)]).astype(np.uint8)
    mask = np.zeros((height, width), np.uint8)
    mask[5:9, 60:70] = 1
    flow = np.full((height, width, 2), (3., -1.), np.float32)
    return dict(frames=[frame, frame], gt_masks=[mask, mask], flow=[flow])


def test_at_scale_one_it_is_a_piece_of_the_clip():
    np.random.seed(0)
    results = ClipRandomWindow((16, 24), scale=(1, 1), on_object=0).transform(clip())
    frame = results['frames'][1]
    top, left, _ = frame[0, 0]
    assert frame.shape == (16, 24, 3) and results['gt_masks'][0].shape == (16, 24)
    assert (frame == clip()['frames'][0][top:top + 16, left:left + 24]).all()
    assert (results['gt_masks'][1] == clip()['gt_masks'][0][top:top + 16, left:left + 24]).all()
    assert (results['flow'][0] == (3, -1)).all()


def test_flow_stays_in_pixels_of_what_comes_out():
    np.random.seed(0)
    results = ClipRandomWindow((16, 24), scale=(0.5, 0.5)).transform(clip())
    assert results['flow'][0].shape == (16, 24, 2)
    assert np.allclose(results['flow'][0], (1.5, -0.5))


def test_the_whole_frame_where_the_window_would_be_larger():
    rows, columns = ClipRandomWindow((48, 80), scale=(0.1, 0.2)).draw((24, 100), ())
    assert (rows, columns) == (slice(0, 24), slice(0, 100))


@pytest.mark.parametrize('on_object, least, most', [(1.0, 200, 200), (0.0, 5, 40)])
def test_how_often_the_object_is_in_view(on_object, least, most):
    np.random.seed(1)
    window, masks = ClipRandomWindow((12, 20), scale=(1, 1), on_object=on_object), clip()['gt_masks']
    seen = sum(masks[0][window.draw((48, 80), masks)].any() for _ in range(200))
    assert least <= seen <= most


def test_without_an_object_any_place_will_do():
    np.random.seed(2)
    empty = [np.zeros((48, 80), np.uint8)]
    places = {window[1].start for window in (ClipRandomWindow((12, 20), (1, 1)).draw((48, 80), empty)
                                             for _ in range(50))}
    assert len(places) > 20


def test_masks_and_flow_may_be_missing():
    assert set(ClipRandomWindow((8, 8)).transform(dict(frames=clip()['frames']))) == {'frames'}


@pytest.mark.parametrize('arguments, message', [
    (dict(size=(0, 5)), 'size must be'), (dict(size=(5,)), 'size must be'),
    (dict(size=(8, 8), scale=(0, 1)), 'scale must be'), (dict(size=(8, 8), scale=(2, 1)), 'scale must be'),
    (dict(size=(8, 8), on_object=1.5), 'on_object is a probability')])
def test_arguments_that_make_no_sense(arguments, message):
    with pytest.raises(ValueError, match=message):
        ClipRandomWindow(**arguments)
