import numpy as np
import pytest
from memory_sequences import MemorySequence

from tempseg_mm.datasets.annotated_sequence import AnnotatedSequence
from tempseg_mm.datasets.vos_sequence import APART
from tempseg_mm.inference.segmenter import Segmenter


@pytest.fixture
def answer(make_model):
    """Segments with a network that answers 0.7 everywhere; gives the frames."""
    def run(sequence, num_given=2, found=lambda references: references * 0 + 0.7):
        model = make_model().eval()
        model.predict = lambda frames, references, **how: found(references)
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


class Apart(MemorySequence):
    """Objects by id; ``first_shown`` as a ``VOSSequence`` finds it."""
    objects = APART

    @property
    def first_shown(self):
        shown = ((k, i) for i, mask in enumerate(self.masks) if mask is not None for k in np.unique(mask[mask > 0]))
        return dict(sorted({int(k): i for k, i in reversed([*shown])}.items()))


@pytest.fixture
def late(make_sequence):
    """Object 1 from the first frame on, object 7 beside it from frame 2 on."""
    sequence = make_sequence(6)
    for i, mask in enumerate(sequence.masks):
        mask[24:30, 4:20] = 7 * (i >= 2)
    return Apart(sequence.frames, sequence.masks)


@pytest.mark.parametrize('num_given, given', [(1, {0: {1}, 2: {7}}), (2, {0: {1}, 1: {1}, 2: {7}, 3: {7}})])
def test_the_first_masks_of_each_object_are_given(late, num_given, given):
    sequence = AnnotatedSequence(late, num_given)
    assert sequence.object_ids == (1, 7)
    assert {i: {*np.unique(labels)} - {0} for i, labels in sequence.labels.items()} == given
    assert {i: sequence.mentioned(i) for i in given} == given
    assert [sequence.going_on(i) for i in sorted(given)] == [() if 1 in given[i] else (1,) for i in sorted(given)]


@pytest.mark.parametrize('num_given', [1, 2])
def test_on_the_first_frame_of_an_object_the_network_answers_for_the_others(late, answer, num_given):
    frames = answer(late, num_given, lambda references: 0.9 * (references > 0.5))
    assert [frame.given for frame in frames] == [True, False, True, False, False, False]
    np.testing.assert_array_equal(frames[2].labels == 7, late.masks[2] == 7)
    for frame in frames:  # the reference moved along the flow is the answer
        assert (frame.labels == 1).any() and (frame.labels == 7).any() == (frame.frame_id >= 2)
    for frame, mask in zip(frames, late.masks, strict=True):
        np.testing.assert_array_equal(frame.gt_labels, mask)


def test_annotations_that_are_only_given_are_not_scored_against(late, answer):
    late.masks[2] *= late.masks[2] == 7  # the hidden splits of benchmarks show only what is new
    for i in (1, 3, 4, 5):
        late.masks[i] = None
    frames = answer(late, 1)
    assert all(frame.gt_labels is None for frame in frames) and frames[5].labels.any()
    with pytest.raises(ValueError, match='the mask of object 7 of frame 3 is to be given, but .* not annotated') as e:
        late.masks[1] = late.masks[0]
        answer(late, 2)
    assert 'give the masks of fewer frames (`num_given_frames`)' in str(e.value)


def test_a_sequence_that_begins_before_its_objects(late):
    late.masks[0], late.masks[1] = late.masks[0] * 0, None
    with pytest.raises(ValueError, match='mask of frame 0 has no object, .* 00002 is the first that shows one: begin'):
        AnnotatedSequence(late, 1)
