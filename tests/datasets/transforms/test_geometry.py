import cv2
import numpy as np
import pytest

from tempseg_mm.datasets.synthetic.draw import SceneParams, draw_scene
from tempseg_mm.datasets.transforms.geometry import ClipRandomAffine, ClipResize, warp_flow
from tempseg_mm.registry import TRANSFORMS


@pytest.fixture(scope='module')
def scene():
    params = SceneParams(num_frames=4, height=97, width=131, max_speed=6, occluders=0, distractors=0)
    return draw_scene(params, np.random.SeedSequence([2, 0, 0]))


@pytest.fixture
def clip(scene):
    return dict(frames=[scene.image(t) for t in range(3)], gt_masks=[scene.mask(t) for t in range(3)],
                flow=[scene.flow(t) for t in range(2)])


def landed(mask, flow, next_mask):
    """Return the share of the object's outermost pixels in view after the flow that land on ``next_mask``."""
    y, x = np.nonzero(mask - cv2.erode(mask, np.ones((5, 5))))
    to_x, to_y = np.floor(np.stack([x, y]) + flow[y, x].T + 0.5).astype(int)
    seen = (to_x >= 0) & (to_y >= 0) & (to_x < mask.shape[1]) & (to_y < mask.shape[0])
    return next_mask[to_y[seen], to_x[seen]].mean()


def test_affine_flow_agrees_with_the_formula():
    """F(x) = G x + h, moved by x' = A x + b, must be F'(x') = A (G A^-1 (x' - b) + h) inside the old frame."""
    height, width = 97, 131
    points = np.dstack(np.meshgrid(np.arange(width, dtype=float), np.arange(height, dtype=float)))
    gradient, offset = np.array([[0.05, -0.02], [0.03, 0.04]]), np.array([1.5, -2.0])
    flow = (points @ gradient.T + offset).astype(np.float32)
    np.random.seed(3)
    matrix = ClipRandomAffine(degrees=30, scale=(0.8, 1.3), flip=1.0).draw(height, width)
    linear, shift = matrix[:, :2], matrix[:, 2]
    assert np.linalg.det(linear) < 0  # a flip
    old = (points - shift) @ np.linalg.inv(linear).T
    expected = (old @ gradient.T + offset) @ linear.T
    inside = ((old >= 1) & (old <= [width - 2, height - 2])).all(axis=-1)
    assert inside.mean() > 0.3
    np.testing.assert_allclose(warp_flow(flow, matrix)[inside], expected[inside], atol=5e-3)


def test_pure_flip_is_exact(clip):
    transform = ClipRandomAffine(degrees=0, scale=(1, 1), flip=1.0, translate=0)
    before = {key: [item.copy() for item in items] for key, items in clip.items()}
    after = transform(clip)
    for t in range(3):
        np.testing.assert_array_equal(after['frames'][t], before['frames'][t][:, ::-1])
        np.testing.assert_array_equal(after['gt_masks'][t], before['gt_masks'][t][:, ::-1])
    np.testing.assert_allclose(after['flow'][1], before['flow'][1][:, ::-1] * [-1, 1], atol=1e-5)


def test_identity_changes_nothing(clip):
    before = {key: [item.copy() for item in items] for key, items in clip.items()}
    after = ClipRandomAffine(degrees=0, scale=(1, 1), flip=0, translate=0)(clip)
    for key, items in before.items():
        for one, two in zip(items, after[key], strict=True):
            np.testing.assert_allclose(two, one, atol=1e-5)


@pytest.mark.parametrize('seed', range(6))
def test_masks_still_follow_the_flow(clip, seed):
    np.random.seed(seed)
    after = ClipRandomAffine(degrees=25, scale=(0.8, 1.3))(clip)
    for t in range(2):
        assert landed(after['gt_masks'][t], after['flow'][t], after['gt_masks'][t + 1]) > 0.87


def test_vectors_that_are_not_turned_would_show(clip):
    flow = [field.copy() for field in clip['flow']]
    after = ClipRandomAffine(degrees=0, scale=(1, 1), flip=1.0, translate=0)(clip)
    assert landed(after['gt_masks'][0], flow[0][:, ::-1], after['gt_masks'][1]) < 0.8
    assert landed(after['gt_masks'][0], after['flow'][0], after['gt_masks'][1]) > 0.9


def test_frames_and_masks_move_together():
    mask = np.zeros((97, 131), np.uint8)
    mask[30:60, 40:80] = 1
    clip = dict(frames=[np.dstack([mask * 255] * 3)] * 2, gt_masks=[mask] * 2)
    np.random.seed(0)
    after = ClipRandomAffine(degrees=20)(clip)
    np.testing.assert_array_equal(after['frames'][0][..., 0] > 127, after['gt_masks'][0] > 0)
    np.testing.assert_array_equal(after['frames'][0], after['frames'][1])  # one draw per clip
    assert (after['gt_masks'][0] != mask).any() and 'flow' not in after


def test_direction_of_rotation_and_zoom():
    """A dot right of the centre: +90 degrees of (x right, y down) takes it below; zoom 2 twice as far."""
    mask = np.zeros((41, 41), np.uint8)
    mask[19:22, 29:32] = 1  # 10 right of the centre (20, 20)
    transform = ClipRandomAffine(degrees=0, scale=(2, 2), flip=0, translate=0)
    transform.draw = lambda height, width: np.array([[0.0, -1.5, 50], [1.5, 0, -10]])
    moved = transform(dict(frames=[np.dstack([mask] * 3)], gt_masks=[mask]))['gt_masks'][0]
    y, x = np.nonzero(moved)
    assert (x.mean(), y.mean()) == (20, 35)
    np.random.seed(0)
    zoom = ClipRandomAffine(degrees=0, scale=(2, 2), flip=0, translate=0).draw(41, 41)
    np.testing.assert_allclose(zoom, [[2, 0, -20], [0, 2, -20]], atol=1e-12)


def test_draws_stay_in_range():
    np.random.seed(0)
    transform = ClipRandomAffine(degrees=10, scale=(0.9, 1.2), flip=0.5, translate=0.05)
    maps = [transform.draw(100, 200) for _ in range(300)]
    zooms = np.sqrt([abs(np.linalg.det(m[:, :2])) for m in maps])
    assert 0.9 <= zooms.min() < 0.92 and 1.17 < zooms.max() <= 1.2
    assert 0.4 < np.mean([np.linalg.det(m[:, :2]) < 0 for m in maps]) < 0.6
    turns = np.degrees([np.arctan2(m[0, 1], m[1, 1]) for m in maps])
    assert 9 < np.abs(turns).max() <= 10
    centres = np.array([m @ [99.5, 49.5, 1] - [99.5, 49.5] for m in maps])
    assert (np.abs(centres).max(axis=0) <= [10, 5]).all() and (np.abs(centres).max(axis=0) > [9, 4.5]).all()


def test_seed_repeats_the_draw():
    np.random.seed(5)
    one = ClipRandomAffine().draw(50, 60)
    np.random.seed(5)
    np.testing.assert_array_equal(one, ClipRandomAffine().draw(50, 60))


@pytest.mark.parametrize(('kwargs', 'message'), [
    (dict(scale=(1.2, 0.9)), 'scale must be'), (dict(scale=(0, 1)), 'scale must be'), (dict(flip=2), 'flip is a prob')])
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        ClipRandomAffine(**kwargs)


def test_resize(clip):
    flow, mask = clip['flow'][0].copy(), clip['gt_masks'][0].copy()
    after = TRANSFORMS.build(dict(type='ClipResize', size=(194, 262)))(clip)
    assert after['frames'][2].shape == (194, 262, 3)
    np.testing.assert_array_equal(after['gt_masks'][0], np.kron(mask, np.ones((2, 2))))
    inner = cv2.erode(mask, np.ones((5, 5))) > 0  # at edges neighbouring motions are mixed
    means = after['flow'][0].reshape(97, 2, 131, 2, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(means[inner], 2 * flow[inner], atol=0.1)


def test_resize_by_the_shorter_side(clip):
    after = ClipResize(48)(dict(frames=clip['frames'], gt_masks=clip['gt_masks']))
    assert after['frames'][0].shape == (48, 65, 3) and after['gt_masks'][0].shape == (48, 65) and 'flow' not in after


@pytest.mark.parametrize('transform', [ClipRandomAffine(degrees=20), ClipResize((50, 60))])
def test_void_moves_like_the_mask(clip, transform):
    results = transform(dict(clip, void=[mask.copy() for mask in clip['gt_masks']]))
    np.testing.assert_array_equal(results['void'], results['gt_masks'])
