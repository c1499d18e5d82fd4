import numpy as np
import pytest


def test_what_follows_from_the_given_masks(make_sequence, give):
    sequence = give(make_sequence(8), (5, 3), 4)
    sequence.labels[5][0, 0] = 9
    assert sequence.first_given == 3 and sequence.object_ids == (4, 9) and sequence.size == (32, 48)
    assert sequence.truth(None) is None


def test_a_sequence_that_keeps_no_earlier_frames_says_so(make_sequence, give, monkeypatch):
    sequence = give(make_sequence(8), (3,))
    monkeypatch.delattr(type(sequence), 'earlier')
    with pytest.raises(ValueError, match='square: frame 2 was not kept'):
        sequence.earlier(2)
    assert np.array_equal(sequence.given_image(3), sequence.sequence.frames[3])
