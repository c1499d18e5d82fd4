import sys

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from tempseg_mm.registry import VISUALIZERS
from tempseg_mm.visualization.visualizer import VOSVisualizer

T, H, W = 3, 20, 30


@pytest.fixture
def clip():
    rng = np.random.default_rng(0)
    masks = (rng.random((T, H, W)) > 0.5).astype(np.float32)
    return dict(
        frames=rng.integers(0, 255, (T, H, W, 3)).astype(np.uint8), gt_masks=masks, pred_masks=masks * 0.6,
        reference_masks=masks, flow=rng.normal(size=(T - 1, H, W, 2)).astype(np.float32), warped_target=masks[1:])


@pytest.fixture
def visualizer():
    """One that keeps what would go to the backends."""
    visualizer = VOSVisualizer('test')
    visualizer.shown = []
    visualizer.add_image = lambda name, image, step=0: visualizer.shown.append((name, image, step))
    return visualizer


def cell(sheet, row, column, rows=T):
    """A cell's picture, without its caption's bar: pictures have H rows, W columns and 4 pixels between them."""
    bar = (sheet.shape[0] - 4) // rows - H - 4
    top, left = 4 + row * (bar + H + 4) + bar, 4 + column * (W + 4)
    return sheet[top:top + H, left:left + W]


def test_both_backends_get_the_picture(tmp_path, clip):
    event_accumulator = pytest.importorskip('tensorboard.backend.event_processing.event_accumulator')
    backends = [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]
    visualizer = VISUALIZERS.build(dict(
        type='VOSVisualizer', name='both', vis_backends=backends, save_dir=str(tmp_path)))
    visualizer.add_clip('train/clip', **clip, step=7)
    visualizer.close()
    picture = Image.open(tmp_path / 'vis_data' / 'vis_image' / 'train_clip_7.png')
    assert picture.size[0] == 4 + 6 * (W + 4)
    events = event_accumulator.EventAccumulator(str(tmp_path / 'vis_data'))
    events.Reload()
    event, = events.Images('train_clip')
    assert (event.step, event.width, event.height) == (7, *picture.size)


def test_each_thing_stands_in_its_row_and_column(visualizer, clip):
    visualizer.add_clip('clip', **clip, step=5)
    (name, sheet, step), = visualizer.shown
    assert (name, step) == ('clip', 5)
    for t in range(T):
        assert np.array_equal(cell(sheet, t, 0), clip['frames'][t])
        assert np.array_equal(cell(sheet, t, 1)[..., 0], clip['gt_masks'][t] * 255)
        assert np.array_equal(cell(sheet, t, 2)[..., 0], clip['pred_masks'][t] * 255)
    for t in range(T - 1):
        assert cell(sheet, t, 4).std() > 0  # flow t -> t+1 beside frame t
        assert np.array_equal(cell(sheet, t + 1, 5)[..., 0], clip['warped_target'][t] * 255)  # target of frame t+1
    assert cell(sheet, T - 1, 4).std() == 0 and cell(sheet, 0, 5).std() == 0


def test_all_flows_share_one_scale(visualizer, clip):
    flow = np.zeros((2, H, W, 2), np.float32)
    flow[0, ..., 0], flow[1, ..., 0] = 10, 5
    visualizer.add_clip('clip', clip['frames'], flow=flow)
    sheet = visualizer.shown[0][1]
    fast, slow = (255 - cell(sheet, t, 1).min(-1).astype(int).mean() for t in range(2))
    assert slow == pytest.approx(fast / 2, rel=0.05)


def test_what_is_not_given_has_no_column(visualizer, clip):
    visualizer.add_clip('clip', clip['frames'], pred_masks=clip['pred_masks'])
    assert visualizer.shown[0][1].shape[1] == 4 + 2 * (W + 4)


def test_a_clip_of_one_frame_has_no_pairs(visualizer, clip):
    one = {key: value[:1] for key, value in clip.items() if key not in ('flow', 'warped_target')}
    visualizer.add_clip('clip', **one, flow=clip['flow'][:0], warped_target=clip['warped_target'][:0])
    assert len(visualizer.shown) == 1


def test_wide_frames_are_shrunk(clip):
    visualizer = VOSVisualizer('narrow', tile_width=15)
    shown = []
    visualizer.add_image = lambda name, image, step=0: shown.append(image)
    visualizer.add_clip('clip', **clip)
    assert shown[0].shape[1] == 4 + 6 * (15 + 4)


@pytest.mark.parametrize('key, value, message', [
    ('frames', np.zeros((T, H, W, 3)), r'frames must be \(T, H, W, 3\) uint8 RGB, got .* float64'),
    ('frames', np.zeros((0, H, W, 3), np.uint8), 'frames must be'),
    ('pred_masks', np.zeros((T, 1, H, W)), r'pred_masks must be \(3, 20, 30\) for frames .*, got \(3, 1, 20, 30\)'),
    ('flow', np.zeros((T, H, W, 2)), r'flow must be \(2, 20, 30, 2\)'),
    ('warped_target', np.zeros((T, H, W)), r'warped_target must be \(2, 20, 30\)'),
])
def test_wrong_shapes_are_named(visualizer, clip, key, value, message):
    with pytest.raises(ValueError, match=message):
        visualizer.add_clip('clip', **dict(clip, **{key: value}))
    assert visualizer.shown == []


def test_an_unknown_argument_is_refused():
    with pytest.raises(TypeError, match='tile_widht'):
        VOSVisualizer('typo', tile_widht=3)


def test_no_window_system_is_asked_for(visualizer, clip):
    visualizer.add_clip('clip', **clip)
    assert 'tkinter' not in sys.modules


@pytest.mark.parametrize('show', ['add_image', 'add_scalar', 'add_scalars'])
def test_backends_get_the_config_with_the_first_thing_that_is_shown(tmp_path, show):
    backends = [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]
    visualizer = VISUALIZERS.build(dict(
        type='VOSVisualizer', name=show, vis_backends=backends, save_dir=str(tmp_path)))
    visualizer.add_config(Config(dict(width=0.25)))
    assert list(tmp_path.iterdir()) == []  # a test shows nothing: no empty run of TensorBoard
    arguments = dict(add_image=('a', np.zeros((4, 4, 3), np.uint8)), add_scalar=('a', 1.0), add_scalars=(dict(a=1.0),))
    getattr(visualizer, show)(*arguments[show], step=3)
    visualizer.close()
    assert (tmp_path / 'vis_data/config.py').read_text().strip() == 'width = 0.25'
    assert len(list(tmp_path.rglob('events.out.tfevents*'))) == 1
