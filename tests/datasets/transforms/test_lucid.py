import copy
import pickle

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from tempseg_mm.datasets.transforms.formatting import PackClip
from tempseg_mm.datasets.transforms.lucid import CACHED_FRAMES, LucidClip, clean_background, object_colours
from tempseg_mm.inference.given_object import GivenObject
from tempseg_mm.inference.online_finetuner import OnlineFinetuner
from tempseg_mm.registry import TRANSFORMS

STILL = dict(degrees=0, scale=(1, 1), shift=0, turn=0, zoom=0, speed=0)
PLAIN = dict(object_motion=STILL, background_motion=STILL, deform=0, relight=0, blur=0)


def texture(height=96, width=128, seed=0):
    noise = np.random.default_rng(seed).uniform(0, 255, (height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    return cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def ellipse(height=96, width=128, centre=(60, 45), axes=(24, 16)):
    return cv2.ellipse(np.zeros((height, width), np.uint8), centre, axes, 30, 0, 360, 1, cv2.FILLED)


def clip(num_frames=3):
    """The object is only in frame 1."""
    empty, mask = np.zeros((96, 128), np.uint8), ellipse()
    return dict(frames=[texture(seed=t) for t in range(num_frames)], frame_ids=list(range(5, 5 + num_frames)),
                gt_masks=[mask if t == 1 else empty for t in range(num_frames)])


def grid(shape):
    return np.dstack(np.meshgrid(np.arange(shape[1], dtype=np.float32), np.arange(shape[0], dtype=np.float32)))


def iou(one, two):
    return (one & two).sum() / (one | two).sum()


def splat(mask, flow):
    """Move 8 x 8 points per object pixel along its flow; a pixel that gets at least half of 64 points is object."""
    offsets = grid((8, 8)).reshape(-1, 2) / 8 - 7 / 16
    points = np.argwhere(mask)[:, ::-1]
    landed = np.rint((points + flow[mask > 0])[:, None] + offsets).astype(int).reshape(-1, 2)
    landed = landed[((landed >= 0) & (landed < mask.shape[::-1])).all(axis=1)]
    counts = np.bincount(landed[:, 1] * mask.shape[1] + landed[:, 0], minlength=mask.size)
    return (counts.reshape(mask.shape) >= 32).astype(np.uint8)


def test_without_ranges_the_frame_stands_still():
    frame, mask = texture(), ellipse()
    frames, masks, flow = LucidClip(**PLAIN).dream(frame, mask, 3)
    inside, outside = cv2.erode(mask, np.ones((3, 3))) > 0, cv2.dilate(mask, np.ones((15, 15))) == 0
    for t in range(3):
        np.testing.assert_array_equal(masks[t], mask)
        np.testing.assert_array_equal(frames[t][inside], frame[inside])
        np.testing.assert_array_equal(frames[t][outside], frame[outside])
    np.testing.assert_allclose(flow, 0, atol=1e-4)
    assert len(flow) == 2 and flow[0].shape == (96, 128, 2) and flow[0].dtype == np.float32
    assert frames[0].dtype == masks[0].dtype == np.uint8


def test_an_object_that_is_pushed():
    """The flow is the displacement of the object's centre inside the object, and zero elsewhere."""
    frame, mask = texture(), ellipse()
    dreams = [LucidClip(**{**PLAIN, 'object_motion': {**STILL, 'speed': 0.3}}).dream(frame, mask, 3) for _ in range(5)]
    for frames, masks, flow in dreams:
        np.testing.assert_array_equal(masks[0], mask)
        for t in range(2):
            before, after = (np.mean(np.nonzero(m)[::-1], axis=1) for m in masks[t:t + 2])
            vectors = flow[t][masks[t] > 0]
            np.testing.assert_allclose(vectors, np.broadcast_to(vectors[0], vectors.shape), atol=1e-3)
            np.testing.assert_allclose(vectors[0], after - before, atol=0.5)  # a mask moves by whole pixels
            np.testing.assert_allclose(flow[t][masks[t] == 0], 0, atol=1e-4)
            away = cv2.dilate(masks[t + 1] | mask, np.ones((15, 15))) == 0
            np.testing.assert_array_equal(frames[t + 1][away], frame[away])
    speeds = np.array([flow[0][45, 60] for _, _, flow in dreams])
    assert 3 < np.abs(speeds).max() <= 0.3 * 44 * 1.1 and np.std(speeds[:, 0]) > 1


def test_a_background_that_turns():
    """Two degrees a frame about the centre of the frame; the object stays where it was."""
    frame, mask = texture(), ellipse(centre=(30, 30), axes=(9, 6))
    _, masks, flow = LucidClip(**{**PLAIN, 'background_motion': {**STILL, 'turn': 2}}).dream(frame, mask, 2)
    np.testing.assert_array_equal(masks[1], mask)
    np.testing.assert_allclose(flow[0][mask > 0], 0, atol=1e-4)
    arm = grid(mask.shape) - [63.5, 47.5]
    angle = np.arcsin(flow[0][47, 120, 1] / arm[47, 120, 0])  # nearly
    assert 0 < abs(np.degrees(angle)) < 2.3
    expected = arm @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) - arm
    np.testing.assert_allclose(flow[0][mask == 0], expected[mask == 0], atol=0.05)


@pytest.mark.parametrize('seed', range(6))
def test_flow_is_exact(seed):
    """The next frame, fetched back along the flow, is this frame: object and background each in its own part."""
    np.random.seed(seed)
    frame, mask = texture(), ellipse()
    frames, masks, flow = LucidClip(relight=0, blur=0, deform=0.15, object_motion=dict(speed=0.15)).dream(
        frame, mask, 4)
    for t in range(3):
        target = grid(mask.shape) + flow[t]
        fetched = cv2.remap(frames[t + 1], target, None, cv2.INTER_LINEAR)
        lands_on = cv2.remap(masks[t + 1] * 255, target, None, cv2.INTER_LINEAR)
        error = np.abs(fetched.astype(float) - frames[t]).mean(axis=2)
        in_view = ((target >= 1) & (target <= np.array(mask.shape[::-1]) - 2)).all(axis=2)
        kernel = np.ones((7, 7), np.uint8)
        inner = (cv2.erode(masks[t], kernel) > 0) & in_view
        outer = (cv2.dilate(masks[t], kernel) == 0) & (cv2.dilate(lands_on, kernel) == 0) & in_view
        assert inner.sum() > 50 and outer.sum() > 2000
        assert error[inner].mean() < 3 and error[outer].mean() < 3
        still = np.abs(frames[t + 1].astype(float) - frames[t]).mean(axis=2)
        assert still[inner].mean() > 3 * error[inner].mean()  # standing still would show


@pytest.mark.parametrize('seed', range(6))
def test_masks_follow_the_flow(seed):
    np.random.seed(seed)
    _, masks, flow = LucidClip(deform=0.15, object_motion=dict(shift=0.1, speed=0.1)).dream(texture(), ellipse(), 4)
    for t in range(3):
        # What comes into view cannot be reached from this frame.
        inside = np.zeros_like(masks[t])
        inside[12:-12, 12:-12] = 1
        assert iou(splat(masks[t], flow[t]) & inside, masks[t + 1] & inside) > 0.95
    assert iou(masks[0], masks[3]) < 0.9


def test_the_object_bends():
    _, masks, flow = LucidClip(**{**PLAIN, 'deform': 0.3}).dream(texture(), ellipse(), 4)
    assert iou(masks[0], ellipse()) < 0.97 and np.abs(flow[0]).max() > 0.2
    np.testing.assert_allclose(flow[0][masks[0] == 0], 0, atol=1e-4)
    assert np.ptp(flow[0][masks[0] > 0], axis=0).min() > 0.2  # it is not a shift


def test_layers_are_lit_apart():
    frame, mask = texture(), ellipse()
    frames, _, _ = LucidClip(**{**PLAIN, 'relight': 0.3}).dream(frame, mask, 2)
    np.testing.assert_array_equal(frames[0], frames[1])  # one draw a clip
    inside, outside = cv2.erode(mask, np.ones((5, 5))) > 0, cv2.dilate(mask, np.ones((15, 15))) == 0
    change = [np.polyfit(frame[part].mean(axis=1), frames[0][part].mean(axis=1), 1) for part in (inside, outside)]
    assert abs(change[0][0] - change[1][0]) > 0.05


def test_blur_takes_away_contrast():
    frame, mask = texture(240, 320), ellipse(240, 320)
    sharp, blurred = (LucidClip(**{**PLAIN, 'blur': blur}).dream(frame, mask, 1)[0][0] for blur in (0.0, 1.0))
    assert cv2.Laplacian(blurred, cv2.CV_64F).std() < 0.99 * cv2.Laplacian(sharp, cv2.CV_64F).std()


def test_a_clip_is_dreamt_from_a_frame_that_shows_the_object():
    given = clip()
    dreamt = TRANSFORMS.build(dict(type='LucidClip', **PLAIN))(copy.copy(given))
    outside = cv2.dilate(ellipse(), np.ones((15, 15))) == 0
    for t in range(3):
        np.testing.assert_array_equal(dreamt['gt_masks'][t], given['gt_masks'][1])
        np.testing.assert_array_equal(dreamt['frames'][t][outside], given['frames'][1][outside])
    assert dreamt['frame_ids'] == [6, 6, 6] and len(dreamt['flow']) == 2
    assert given['frame_ids'] == [5, 6, 7] and 'flow' not in given


def test_what_is_given_is_not_written_to():
    given = clip()
    before = copy.deepcopy(given)
    LucidClip()(copy.copy(given))
    for key in ('frames', 'gt_masks'):
        np.testing.assert_array_equal(given[key], before[key])


@pytest.mark.parametrize('prob', [0.0, 0.3, 1.0])
def test_probability(prob):
    given = dict(frames=[texture(20, 30)], gt_masks=[ellipse(20, 30, (15, 10), (5, 4))])
    transform = LucidClip(prob=prob, **PLAIN)
    dreamt = np.mean([transform(copy.copy(given))['frames'] is not given['frames'] for _ in range(60)])
    assert dreamt == prob if prob in (0, 1) else 0.1 < dreamt < 0.5


def test_a_clip_without_object_stays():
    given = clip()
    given['gt_masks'] = [np.zeros((96, 128), np.uint8)] * 3
    after = LucidClip()(copy.copy(given))
    assert all(after[key] is given[key] for key in given) and set(after) == set(given)


def test_seed_repeats_the_dream():
    transform, dreams = LucidClip(), []
    for seed in (3, 3, 4):  # the second from the cache
        np.random.seed(seed)
        dreams.append(transform.dream(texture(), ellipse(), 2))
    for one, two, other in zip(*dreams, strict=True):
        np.testing.assert_array_equal(one, two)
        assert not np.array_equal(one, other)


@pytest.mark.parametrize('mask', [
    np.ones((40, 60), np.uint8), np.eye(40, 60, dtype=np.uint8), np.pad([[1]], ((39, 0), (59, 0))).astype(np.uint8)])
@pytest.mark.parametrize('seed', range(3))
def test_objects_of_any_shape(mask, seed):
    np.random.seed(seed)
    frames, masks, flow = LucidClip(object_motion=dict(shift=1, speed=1, degrees=180)).dream(texture(40, 60), mask, 5)
    assert {m.shape for m in masks} == {(40, 60)} and {f.shape for f in frames} == {(40, 60, 3)}
    assert np.isfinite(flow).all() and all(set(np.unique(m)) <= {0, 1} for m in masks)
    if mask.sum() > 100:  # what is one pixel thin may fall between the pixels
        assert all(m.any() for m in masks)


def test_background_is_the_frame_with_the_hole_filled():
    frame = np.full((96, 128, 3), (40, 90, 160), np.uint8)
    frame[ellipse() > 0] = (250, 10, 10)
    assert np.abs(clean_background(frame, ellipse()).astype(int) - (40, 90, 160)).max() <= 8
    noisy = texture()
    clean, mask = clean_background(noisy, ellipse()), ellipse()
    away = cv2.dilate(mask, np.ones((15, 15))) == 0
    np.testing.assert_array_equal(clean[away], noisy[away])
    assert np.abs(clean.astype(int) - noisy)[mask > 0].mean() > 10
    nothing_left = clean_background(noisy, np.ones_like(mask))
    np.testing.assert_array_equal(nothing_left[0, 0], noisy.mean(axis=(0, 1)).astype(int))


def test_object_colours_reach_beyond_the_object():
    frame = np.full((96, 128, 3), (40, 90, 160), np.uint8)
    frame[ellipse() > 0] = (250, 10, 10)
    colours = object_colours(frame, ellipse())
    rim = cv2.dilate(ellipse(), np.ones((3, 3))) > 0
    assert np.abs(colours[rim].astype(int) - (250, 10, 10)).max() <= 1
    np.testing.assert_array_equal(colours[0, 0], (40, 90, 160))


def test_the_cache_is_bounded_and_stays_at_home(monkeypatch):
    calls = []
    monkeypatch.setattr('tempseg_mm.datasets.transforms.lucid.clean_background',
                        lambda frame, mask: calls.append(1) or frame)
    transform = LucidClip()
    for seed in [*range(CACHED_FRAMES + 2)] * 2:
        transform.dream(texture(40, 60, seed), ellipse(40, 60, (30, 20), (9, 6)), 1)
    assert len(transform._layers) == CACHED_FRAMES and len(calls) == 2 * (CACHED_FRAMES + 2)
    transform.dream(texture(40, 60, CACHED_FRAMES + 1), ellipse(40, 60, (30, 20), (9, 6)), 1)
    assert len(calls) == 2 * (CACHED_FRAMES + 2)
    transform.dream(texture(40, 60, CACHED_FRAMES + 1), ellipse(40, 60, (30, 20), (6, 6)), 1)  # another mask
    assert len(calls) == 2 * (CACHED_FRAMES + 2) + 1
    assert len(pickle.dumps(transform)) < 2000 and len(transform._layers) == CACHED_FRAMES


class DreamtClips:
    """A data set of three clips."""
    transforms = (LucidClip(prob=0.99), PackClip())

    def __len__(self):
        return 3

    def __getitem__(self, i):
        np.random.seed(i)
        results = clip()
        for transform in self.transforms:
            results = transform(results)
        return results


def test_workers_dream_the_same():
    data = DreamtClips()
    loaded = list(DataLoader(data, batch_size=None, num_workers=1))
    for i, item in enumerate(loaded):
        torch.testing.assert_close(item['inputs'], data[i]['inputs'])
        sample = item['data_samples']
        assert sample.flow.shape == (2, 2, 96, 128) and sample.gt_masks.any() and sample.frame_ids == [6, 6, 6]


def test_fine_tuning_on_dreams(make_model, make_sequence, give):
    """A single given frame comes as a clip of two equal frames."""
    model = make_model()
    finetuner = OnlineFinetuner(steps=1, augment=[dict(type='LucidClip')])
    report = finetuner.adapt(model, GivenObject(give(make_sequence(), (0,)), 1))
    assert len(report.losses) == 1
    assert len(finetuner.augment.transforms[0]._layers) == 1


@pytest.mark.parametrize(('kwargs', 'message'), [
    (dict(prob=1.5), 'prob of LucidClip'), (dict(deform=-0.1), 'deform of LucidClip'),
    (dict(relight=2), 'relight of LucidClip'), (dict(blur=-1), 'blur of LucidClip'),
    (dict(object_motion=dict(velocity=1)), r"no \['velocity'\]; its fields are \['degrees'"),
    (dict(background_motion=dict(scale=(2, 1))), 'scale of a motion')])
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        LucidClip(**kwargs)


def test_a_clip_with_void_is_not_changed():
    mask = np.zeros((32, 48), np.uint8)
    mask[8:20, 10:24] = 1
    clip = dict(frames=[np.zeros((32, 48, 3), np.uint8)], gt_masks=[mask], void=[1 - mask])
    assert LucidClip().transform(dict(clip)) == clip
