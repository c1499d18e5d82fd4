import numpy as np
import pytest

from tempseg_mm.datasets.synthetic.draw import DIFFICULTIES, SceneParams, draw_scene


def seed(*numbers):
    return np.random.SeedSequence(numbers)


def iou(one, two):
    return (one & two).sum() / (one | two).sum()


@pytest.fixture(scope='module')
def scenes():
    return [draw_scene(SceneParams(), seed(7, 1, index)) for index in range(4)]


def test_same_seed_same_pixels():
    params = SceneParams(height=64, width=96, num_frames=6)
    one, two, other = (draw_scene(params, seed(0, 0, index)) for index in (3, 3, 4))
    np.testing.assert_array_equal(one.image(4), two.image(4))
    np.testing.assert_array_equal(one.flow(4), two.flow(4))
    assert (one.image(4) != other.image(4)).mean() > 0.9


def test_object_stays_in_view_at_a_plausible_size(scenes):
    for scene in scenes:
        covered = [scene.mask(t).mean() for t in range(24)]
        assert 0.034 < min(covered[:2]) and max(covered) < 0.16  # 0.85 * 0.04
        assert min(covered) > 0.3 * 0.04


def test_object_is_hidden_in_part_at_times(scenes):
    for scene in scenes:
        visible = [scene.mask(t).sum() / scene.surfaces[scene.target].area(t) for t in range(24)]
        assert 0.3 <= min(visible) < 0.9


def test_copying_the_first_mask_fails(scenes):
    scores = [iou(scene.mask(0), scene.mask(t)) for scene in scenes for t in range(1, 24)]
    assert np.mean(scores) < 0.35


def test_motion_is_bounded_by_the_speed_asked_for(scenes):
    for scene in scenes:
        speed = np.linalg.norm(np.diff(scene.surfaces[scene.target].motion.centre, axis=0), axis=1)
        assert 1.5 < speed.max() <= 4.0 + 1e-6


def test_shape_and_size_change(scenes):
    scene = scenes[0]
    target = scene.surfaces[scene.target]
    scale = np.sqrt(np.linalg.det(target.motion.linear))
    assert scale.min() >= 1 / 1.4 - 1e-9 and scale.max() <= 1.4 + 1e-9 and np.ptp(scale) > 0.1
    assert np.ptp(target.outline.amplitudes, axis=0).sum() > 0.02


def test_layers_follow_the_parameters():
    params = SceneParams(occluders=2, distractors=1, num_frames=8, height=96, width=160, blur=0, lighting=0)
    scene = draw_scene(params, seed(0, 0, 0))
    assert len(scene.surfaces) == 5 and scene.target == 2
    assert scene.surfaces[0].outline is None
    assert (scene.camera.gain == 1).all() and not scene.camera.blur.any()


def colour_distance(scene, one, two):
    mean = [scene.surfaces[index].texture.reshape(-1, 3).mean(axis=0) for index in (one, two)]
    return np.linalg.norm(mean[0] - mean[1])


def test_distractor_looks_like_the_object_and_the_background_does_not(scenes):
    to_distractor = np.mean([colour_distance(scene, scene.target, 1) for scene in scenes])
    to_background = np.mean([colour_distance(scene, scene.target, 0) for scene in scenes])
    assert to_distractor < 0.7 * to_background


def test_full_similarity_shares_the_palette():
    params = SceneParams(similarity=1, num_frames=6, height=64, width=96)
    scene = draw_scene(params, seed(0, 0, 1))
    ranges = [np.quantile(scene.surfaces[index].texture.reshape(-1, 3), [0.02, 0.98], axis=0) for index in (1, 2)]
    np.testing.assert_allclose(*ranges, atol=25)
    assert not np.array_equal(scene.surfaces[1].texture, scene.surfaces[2].texture)


@pytest.mark.parametrize('level', list(DIFFICULTIES))
@pytest.mark.parametrize('size', [(97, 131), (48, 80)])
def test_every_difficulty_can_be_drawn(level, size):
    params = SceneParams(num_frames=8, height=size[0], width=size[1], **DIFFICULTIES[level])
    scene = draw_scene(params, seed(0, 0, 0))
    assert scene.image(7).shape == (*size, 3) and scene.image(7).std() > 10 and scene.mask(7).any()


@pytest.mark.parametrize(('name', 'value'), [('num_frames', 1), ('height', 8), ('similarity', 1.5), ('blur', -1)])
def test_parameters_out_of_range(name, value):
    with pytest.raises(ValueError, match=rf'{name} of SceneParams must be in \[.*got {value}'):
        SceneParams(**{name: value})


def test_impossible_parameters_say_so(monkeypatch):
    monkeypatch.setattr('tempseg_mm.datasets.synthetic.draw.MAX_TRIES', 3)
    monkeypatch.setattr('tempseg_mm.datasets.synthetic.draw._is_plausible', lambda scene, params: False)
    with pytest.raises(ValueError, match='3 random scenes were drawn.* change `max_speed`'):
        draw_scene(SceneParams(), seed(0))
