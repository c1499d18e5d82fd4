import numpy as np
import pytest

from tempseg_mm.inference.propagator import MaskPropagation
from tempseg_mm.inference.segment import given_mask, segment_sequence


class Recording(MaskPropagation):
    """Answers 0.7 everywhere; writes down the verbs it hears."""

    def __init__(self):
        self.heard = []

    def start(self, frame, mask):
        self.heard.append(('start', int(mask.sum())))

    def step(self, frame):
        self.heard.append('step')
        return np.full(frame.shape[:2], 0.7, np.float32)

    def correct(self, mask):
        self.heard.append(('correct', int(mask.argmax())))


def first_pixel(sequence, i):
    return int(sequence.masks[i].argmax())


def test_frame_0_is_given_as_it_is(make_sequence):
    sequence = make_sequence()
    first = next(segment_sequence(sequence, Recording()))
    np.testing.assert_array_equal(first.probability, sequence.masks[0])
    assert first.given and first.probability.dtype == np.float32
    assert (first.sequence, first.frame_id, first.num_frames, first.file_name) == ('square', 0, 4, '00000')


def test_frame_1_is_the_answer_and_its_given_mask_the_next_reference(make_sequence):
    sequence, propagation = make_sequence(), Recording()
    frames = list(segment_sequence(sequence, propagation, num_given_frames=2))
    assert propagation.heard == [('start', 12 * 14), 'step', ('correct', first_pixel(sequence, 1)), 'step', 'step']
    assert not frames[1].given and (frames[1].probability == np.float32(0.7)).all()
    for i, frame in enumerate(frames):
        np.testing.assert_array_equal(frame.gt_mask, sequence.masks[i])
        np.testing.assert_array_equal(frame.image, sequence.frames[i])


@pytest.mark.parametrize('given, corrections', [(1, 0), (2, 1), (3, 2), (9, 3)])
def test_number_of_given_frames(make_sequence, given, corrections):
    propagation = Recording()
    list(segment_sequence(make_sequence(), propagation, num_given_frames=given))
    assert sum(verb[0] == 'correct' for verb in propagation.heard) == corrections


def test_reads_one_frame_at_a_time(make_sequence):
    sequence = make_sequence(5)
    stream = segment_sequence(sequence, Recording())
    assert sequence.reads == []
    for i, _ in zip(range(3), stream):
        assert sequence.reads == list(range(i + 1))


def test_frames_without_annotation_are_segmented_but_not_given(make_sequence):
    sequence = make_sequence()
    sequence.masks[2] = None
    assert list(segment_sequence(sequence, Recording()))[2].gt_mask is None
    sequence.masks[1] = None
    with pytest.raises(ValueError, match='square: the mask of frame 1 is to be given, but .* not annotated'):
        list(segment_sequence(sequence, Recording()))
    assert len(list(segment_sequence(sequence, Recording(), num_given_frames=1))) == 4


def test_nothing_to_segment(make_sequence):
    sequence = make_sequence()
    sequence.masks[0] = np.zeros_like(sequence.masks[0])
    with pytest.raises(ValueError, match='square: the mask of frame 0 has no object'):
        next(segment_sequence(sequence, Recording()))


def test_a_later_given_mask_may_be_empty(make_sequence):
    sequence = make_sequence()
    sequence.masks[1] = np.zeros_like(sequence.masks[1])
    assert given_mask(sequence, 1).sum() == 0
