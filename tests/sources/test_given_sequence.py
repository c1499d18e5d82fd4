import numpy as np
import pytest

from tempseg_mm.sources.given_sequence import GivenSequence


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


@pytest.mark.parametrize('ends', [False, True])
def test_objects_that_go_on(ends):
    class Later(GivenSequence):
        labels = {2: np.array([[1, 3]]), 5: np.array([[0, 4]]), 7: np.array([[3, 4]])}
        frames = given_image = None
    sequence = Later()
    sequence.ends = ends
    assert [sequence.going_on(i) for i in (2, 3, 5, 7)] == ([()] * 4 if ends else [(), (), (1, 3), (1,)])


def test_a_given_mask_can_mention_an_object_that_it_does_not_show():
    class Erased(GivenSequence):
        labels = {2: np.array([[1, 3]]), 5: np.array([[0, 1]])}
        frames = given_image = None

        def mentioned(self, frame_id):
            return super().mentioned(frame_id) | {3}
    assert Erased().going_on(5) == () and GivenSequence.going_on(Erased(), 2) == ()
    assert sorted(Erased().mentioned(5)) == [1, 3]
