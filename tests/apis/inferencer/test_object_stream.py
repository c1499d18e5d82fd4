import cv2
import numpy as np
import pytest

from tempseg_mm.apis.inferencer.loading import Segmenter
from tempseg_mm.apis.inferencer.object_stream import ObjectStream
from tempseg_mm.inference.online_finetuner import OnlineFinetuner
from tempseg_mm.inference.propagator import Propagator


@pytest.fixture
def segmenter(make_model):
    return Segmenter(make_model().eval(), OnlineFinetuner(steps=2, optimizer=dict(type='Adam', lr=0.01)), None)


def test_frame_by_frame_it_is_the_propagator_with_the_adapted_generator(segmenter, make_sequence):
    sequence = make_sequence(5)
    with ObjectStream(segmenter, sequence.frames[:2], [7 * mask for mask in sequence.masks[:2]], seed=3) as stream:
        found = list(stream.run(iter(sequence.frames[2:])))
        assert list(stream.finetune_losses) == [7] and len(stream.finetune_losses[7]) == 2
    sequence.name = 'frames'  # as arrays are called
    segmenter.finetuner.adapt(segmenter.model, sequence, seed=3)
    propagator = Propagator(segmenter.model)
    propagator.start(sequence.frames[0], sequence.masks[0])
    propagator.step(sequence.frames[1])
    propagator.correct(sequence.masks[1])
    for mask, frame in zip(found, sequence.frames[2:], strict=True):
        np.testing.assert_array_equal(mask, 7 * (propagator.step(frame) > 0.5))
        assert mask.dtype == np.uint8


def test_one_frame_is_enough_and_each_is_answered_before_the_next_is_asked_for(segmenter, make_sequence):
    sequence, asked = make_sequence(4), []

    def camera():
        for i, frame in enumerate(sequence.frames[1:]):
            asked.append(i)
            yield frame
    with ObjectStream(segmenter, sequence.frames[0], sequence.masks[0]) as stream:
        for i, mask in enumerate(stream.run(camera())):
            assert asked == list(range(i + 1)) and mask.shape == (32, 48)
        assert stream.step(sequence.frames[3]).shape == (32, 48)
    with pytest.raises(RuntimeError, match='the stream is closed'):
        stream.step(sequence.frames[3])


def test_frames_before_the_first_mask_say_nothing(segmenter, make_sequence):
    sequence = make_sequence(4)
    with ObjectStream(segmenter, sequence.frames[:3], {2: sequence.masks[2]}) as late, \
            ObjectStream(segmenter, sequence.frames[2], sequence.masks[2]) as alone:
        np.testing.assert_array_equal(late.step(sequence.frames[3]), alone.step(sequence.frames[3]))


def test_the_crf_refines_what_is_answered(segmenter, make_sequence):
    sequence = make_sequence(3)
    segmenter.crf = nowhere
    with ObjectStream(segmenter, sequence.frames[0], sequence.masks[0]) as stream:
        assert all(not mask.any() for mask in stream.run(sequence.frames[1:]))


def nowhere(probability, image):
    return cv2.min(probability, 0.25)


def test_a_mask_of_another_size(segmenter, make_sequence):
    with pytest.raises(ValueError, match='the frames are 32x48'):
        ObjectStream(segmenter, make_sequence().frames[0], np.ones((31, 48), np.uint8))
