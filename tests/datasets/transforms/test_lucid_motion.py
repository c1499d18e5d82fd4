import numpy as np
import pytest

from tempseg_mm.datasets.transforms.lucid_motion import STEEPEST, Bending, LayerMotion

STILL = dict(degrees=0, scale=(1, 1), shift=0, turn=0, zoom=0, speed=0)
PLACE = dict(centre=np.array([30.0, 20.0]), size=np.array([20.0, 10.0]), frame_size=np.array([100, 60]))


def paths(num_draws, num_frames=3, place=PLACE, **ranges):
    motion = LayerMotion(**{**STILL, **ranges})
    return np.array([motion.draw(num_frames, **place) for _ in range(num_draws)])


def turned(matrices):
    return np.degrees(np.arctan2(matrices[..., 1, 0], matrices[..., 0, 0]))


def zoomed(matrices):
    return np.sqrt(np.linalg.det(matrices[..., :2]))


def test_without_ranges_nothing_moves():
    for matrix in LayerMotion(**STILL).draw(4, **PLACE):
        np.testing.assert_allclose(matrix, [[1, 0, 0], [0, 1, 0]], atol=1e-12)


def test_it_zooms_about_the_centre():
    matrix = LayerMotion(**{**STILL, 'scale': (2, 2)}).draw(1, **PLACE)[0]
    np.testing.assert_allclose(matrix, [[2, 0, -30], [0, 2, -20]], atol=1e-12)


def test_draws_fill_their_ranges():
    drawn = paths(300, degrees=20, scale=(0.5, 2), shift=0.1)
    first = drawn[:, 0]
    assert 19 < np.abs(turned(first)).max() <= 20
    assert 0.5 <= zoomed(first).min() < 0.53 and 1.9 < zoomed(first).max() <= 2
    moved = np.abs(first @ [30, 20, 1] - [30, 20]).max(axis=0)
    assert (moved <= [10, 6]).all() and (moved > [9, 5.4]).all()
    np.testing.assert_allclose(drawn[:, 1:], drawn[:, :1].repeat(2, axis=1), atol=1e-9)  # it keeps its pose


def test_the_motion_goes_on_evenly():
    drawn = paths(200, num_frames=4, turn=5, zoom=0.1, speed=0.2)
    np.testing.assert_allclose(drawn[:, 0], np.broadcast_to(np.eye(2, 3), (200, 2, 3)), atol=1e-12)
    angles, centres = turned(drawn), drawn @ [30, 20, 1]
    assert 4.5 < np.abs(angles[:, 1]).max() <= 5 * 1.1
    assert 1.07 < zoomed(drawn)[:, 1].max() <= 1.1**1.1
    speed = np.abs(centres[:, 1] - centres[:, 0]).max(axis=0)  # a fifth of the layer's size
    assert (speed <= np.array([4, 2]) * 1.1 + 1e-9).all() and (speed > [3.5, 1.7]).all()
    # At frame 3 it is thrice as far as at frame 1, but for the jitter of a tenth of the range.
    assert np.abs(centres[:, 3] - 3 * centres[:, 1] + 2 * centres[:, 0]).max(axis=0) == pytest.approx([0, 0], abs=1.7)
    assert np.abs(angles[:, 3] - 3 * angles[:, 1]).max() <= 5 * 0.1 * 4 + 1e-9


def test_the_centre_stays_in_the_frame():
    drawn = paths(200, num_frames=5, shift=2, speed=3) @ [30, 20, 1]
    assert (drawn >= -1e-9).all() and (drawn <= np.array([99, 59]) + 1e-9).all()
    assert (drawn[:, 0] < [5, 5]).any() and (drawn[:, 0] > [95, 55]).any()
    assert np.mean(drawn[:, 0, 0] == 0) < 0.02  # drawn inside, not pushed onto the border


@pytest.mark.parametrize(('changes', 'message'), [
    (dict(scale=(1.2, 1)), 'scale of a motion must be'), (dict(scale=(0, 1)), 'scale of a motion'),
    (dict(turn=-1), 'turn of a motion is the end of a range'), (dict(shift=-0.1), 'shift of a motion')])
def test_bad_ranges(changes, message):
    with pytest.raises(ValueError, match=message):
        LayerMotion(**{**STILL, **changes})


def grid(width, height):
    return np.dstack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)))


@pytest.mark.parametrize('box', [(30, 20, 200, 60), (0, 0, 9, 120), (50, 60, 1, 1)])
@pytest.mark.parametrize('strength', [0.08, 1.0])
@pytest.mark.parametrize('amount', [-1.0, 0.7, 1.0])
def test_bending_is_inverted(box, strength, amount):
    bending = Bending(box, strength)
    points = grid(260, 140)
    targets = points + np.float32(amount) * bending.displacement(points)
    # A guess as far off as LucidClip's ever is: it starts from the frame before, bent by 0.3 less.
    found = bending.inverse(targets, amount, points + np.float32(0.3) * bending.displacement(points))
    assert np.abs(found - points).max() <= 0.05


def test_bending_is_as_strong_as_asked_and_does_not_fold():
    for strength in (0.05, 1.0):
        bending = Bending((30, 20, 100, 40), strength)
        field = bending.displacement(grid(160, 80))
        assert field.dtype == np.float32 and np.abs(field).max() > 0.5
        assert (bending.reach <= np.array([100, 40]) * strength * 1.3).all()  # cubic interpolation overshoots
        np.testing.assert_allclose(np.abs(field).max(axis=(0, 1)), bending.reach, atol=0.7)
        for slope, unit in ((np.diff(field, axis=1), 100), (np.diff(field, axis=0), 40)):
            assert (np.abs(slope).max(axis=(0, 1)) * unit <= STEEPEST * np.array([100, 40]) * 1.02).all()


def test_no_strength_bends_nothing():
    bending = Bending((3, 2, 10, 5), 0.0)
    assert not bending.displacement(grid(20, 10)).any() and not bending.reach.any()
