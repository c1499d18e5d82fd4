import math

import cv2
import numpy as np
import pytest
import torch

from tempseg_mm.ops.surroundings import Surroundings

SIZE = (96, 160)
POSITIONS = np.stack(np.meshgrid(np.arange(160, dtype=np.float32), np.arange(96, dtype=np.float32)), -1)
MASK = cv2.circle(np.zeros(SIZE, np.float32), (50, 48), 20, 1, cv2.FILLED)
BESIDE, WITHIN = (48, 100), (48, 50)  # pixels outside and inside of the mask


def landing(own, around=(0.0, 0.0), *, moving=MASK):
    """Where the pixels go if those of ``moving`` have one motion and all others another."""
    return POSITIONS + np.where(moving[..., None] > 0, np.float32(own), np.float32(around))


def told(before=None, *, mask=MASK, to=None, frame_size=SIZE):
    before = torch.zeros(1, 1, *SIZE) if before is None else before
    to = landing((4, 1)) if to is None else to
    return Surroundings().belief(before, mask, POSITIONS, to, frame_size=frame_size, size=math.sqrt(MASK.sum()))


def test_what_moves_with_the_background_beside_the_object_is_believed_to_be_surroundings():
    belief, seen = None, []
    for _ in range(4):
        belief = told(belief)
        seen.append(belief[0, 0][BESIDE].item())
    assert seen == pytest.approx([0.3, 0.51, 0.657, 0.7599])
    assert not belief[0, 0][torch.from_numpy(MASK > 0)].any()


def test_in_the_mask_the_belief_falls_and_never_rises():
    assert told(torch.full((1, 1, *SIZE), 0.8))[0, 0][WITHIN].item() == pytest.approx(0.3 * 0.8)
    resting = landing((4, 1), moving=MASK * (POSITIONS[..., 1] < 60))  # the lower part of the object stands
    assert told(to=resting)[0, 0][66, 50] == 0 and told(to=resting)[0, 0][BESIDE] > 0
    kept = told(torch.full((1, 1, *SIZE), 0.8), to=resting)
    assert kept[0, 0][66, 50].item() == pytest.approx(0.8)


def test_a_camera_that_turns_and_nears_is_the_motion_of_the_background():
    turn = cv2.getRotationMatrix2D((80, 48), 3, 1.05).astype(np.float32)
    to = np.where(MASK[..., None] > 0, POSITIONS + np.float32((9, 0)), cv2.transform(POSITIONS, turn))
    belief = told(to=to.astype(np.float32))
    assert belief[0, 0][BESIDE].item() == pytest.approx(0.3) and belief[0, 0][5, 150].item() == pytest.approx(0.3)


def test_a_third_motion_is_not_the_surroundings():
    other = cv2.circle(np.zeros(SIZE, np.float32), (120, 48), 10, 1, cv2.FILLED)
    to = landing((4, 1)) + np.where(other[..., None] > 0, np.float32((0, -6)), np.float32((0, 0)))
    assert told(to=to)[0, 0][48, 120] == 0 and told(to=to)[0, 0][48, 145] > 0


@pytest.mark.parametrize('why, change', [
    ('nothing moves', dict(to=landing((0, 0)))),
    ('both move alike', dict(to=landing((5, 2), (5, 2)))),
    ('too few pixels of the object', dict(mask=cv2.circle(np.zeros(SIZE, np.float32), (50, 48), 5, 1, cv2.FILLED))),
    ('too few pixels around it', dict(mask=np.ones(SIZE, np.float32))),
    ('all that is around it lies beyond the frame', dict(frame_size=(96, 60), mask=MASK + (POSITIONS[..., 0] < 60)))])
def test_where_motion_tells_nothing_the_belief_stays(why, change):
    before = torch.rand(1, 1, *SIZE, generator=torch.Generator().manual_seed(0))
    assert torch.equal(told(before, **change), before), why


def test_the_same_frames_give_the_same_belief():
    noise = np.random.default_rng(0).normal(0, 0.3, (*SIZE, 2)).astype(np.float32)
    assert torch.equal(told(to=landing((4, 1)) + noise), told(to=landing((4, 1)) + noise))


@pytest.mark.parametrize('setting, fault', [
    (dict(ratio=0), 'ratio of surroundings must be above 0 and at most 1, got 0'), (dict(rise=1.5), 'rise'),
    (dict(fall=-1), 'fall'), (dict(bound=float('nan')), 'bound'), (dict(apart=-0.1), 'apart .* at least 0, got -0.1')])
def test_settings_out_of_range_are_refused(setting, fault):
    with pytest.raises(ValueError, match=fault):
        Surroundings(**setting)
