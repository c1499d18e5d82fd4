import numpy as np
import pytest

from tempseg_mm.inference.given_object import GivenObject
from tempseg_mm.inference.object_mask import FADING


@pytest.fixture
def given(make_sequence, give):
    """Object 2 in frames 0, 2 and 3 of four; in frame 2 most of it is hidden."""
    sequence = give(make_sequence(4), (0, 2, 3), 2)
    sequence.labels[2] = sequence.labels[2].copy()
    sequence.labels[2][:, 14:] = 0
    return sequence


def test_frames_and_masks(given):
    one = GivenObject(given, 2)
    assert one.frame_ids == [0, 2, 3] and one.name == given.name
    np.testing.assert_array_equal(one.mask(0), given.sequence.masks[0])
    np.testing.assert_array_equal(one.frame(3), given.sequence.frames[3])
    assert GivenObject(given, 5).frame_ids == []


def test_what_a_mask_shows_of_what_is_remembered(given):
    one = GivenObject(given, 2)
    whole, part = 12 * 14, 12 * 2
    assert one.shown(0) == one.shown(3) == 1
    assert one.shown(2) == pytest.approx(part / (whole * FADING))
    given.labels = {2: given.labels[2]}
    assert one.shown(2) == 1  # nothing tells that it is hidden
    given.labels[5] = 0 * given.labels[2]
    assert one.shown(5) == 0
