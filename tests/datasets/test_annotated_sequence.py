import numpy as np
import pytest

from tempseg_mm.datasets.annotated_sequence import AnnotatedSequence
from tempseg_mm.inference.segmenter import Segmenter


@pytest.fixture
def answer(make_model):
    """Segments with a network that answers 0.7 everywhere; gives the frames."""
    def run(sequence, num_given=2):
        model = make_model().eval()
        model.predict = lambda frames, references, **how: references * 0 + 0.7
        return list(Segmenter(model).segment(AnnotatedSequence(sequence, num_given)))
    return run


def test_frame_0_is_given_as_it_is(make_sequence, answer):
    sequence = make_sequence()
    first = answer(sequence)[0]
    np.testing.assert_array_equal(first.probabilities[0], sequence.masks[0])
    np.testing.assert_array_equal(first.labels, sequence.masks[0])
    assert first.given and (first.sequence, first.frame_id, first.num_frames) == ('square', 0, 4)


def test_later_given_frames_get_the_answer_of_the_network(make_sequence, answer):
    sequence = make_sequence()
    for i, frame in enumerate(answer(sequence)[1:], 1):
        assert not frame.given and (frame.probabilities == np.float32(0.7)).all() and frame.labels.all()
        np.testing.assert_array_equal(frame.gt_labels, sequence.masks[i])
        np.testing.assert_array_equal(frame.image, sequence.frames[i])
        assert frame.file_name == f'{i:05d}'


@pytest.mark.parametrize('num_given, given', [(1, [0]), (2, [0, 1]), (9, [0, 1, 2, 3])])
def test_number_of_given_frames(make_sequence, num_given, given):
    sequence = AnnotatedSequence(make_sequence(), num_given)
    assert list(sequence.labels) == given and sequence.object_ids == (1,) and sequence.first_given == 0


def test_frames_without_annotation_are_segmented_but_not_given(make_sequence, answer):
    sequence = make_sequence()
    sequence.masks[2] = None
    assert answer(sequence)[2].gt_labels is None
    sequence.masks[1] = None
    with pytest.raises(ValueError, match='square: the mask of frame 1 is to be given, but .* not annotated'):
        answer(sequence)
    assert len(answer(sequence, 1)) == 4


def test_nothing_to_segment(make_sequence):
    sequence = make_sequence()
    sequence.masks[1] = np.zeros_like(sequence.masks[1])
    assert not AnnotatedSequence(sequence).labels[1].any()  # a later given mask may be empty
    sequence.masks[0] = np.zeros_like(sequence.masks[0])
    with pytest.raises(ValueError, match='square: the mask of frame 0 has no object'):
        AnnotatedSequence(sequence)
