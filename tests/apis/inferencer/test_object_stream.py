import cv2
import numpy as np
import pytest

from tempseg_mm.apis.inferencer.object_stream import ObjectStream
from tempseg_mm.inference.given_object import GivenObject
from tempseg_mm.inference.object_mask import FADING
from tempseg_mm.inference.online_finetuner import OnlineFinetuner
from tempseg_mm.inference.propagator import generator_propagator
from tempseg_mm.inference.segmenter import Segmenter
from tempseg_mm.inference.views import WholeFrame


@pytest.fixture
def segmenter(make_model):
    return Segmenter(make_model().eval(), finetuner=OnlineFinetuner(steps=2, optimizer=dict(type='Adam', lr=0.01)),
                     seed=3)


def test_frame_by_frame_it_is_the_propagator_with_the_adapted_generator(segmenter, make_sequence, give):
    sequence = make_sequence(5)
    with ObjectStream(segmenter, sequence.frames[:2], [7 * mask for mask in sequence.masks[:2]]) as stream:
        found = list(stream.run(iter(sequence.frames[2:])))
        assert list(stream.finetune_losses) == [7] and len(stream.finetune_losses[7]) == 2
        assert list(stream.finetune_fit) == [7] and stream.finetune_fit[7].num_masks == 2
        assert [notice for notice in stream.notices if notice.startswith('Object 7: fine-tuning did not work: ')]
    sequence.name = 'frames'  # as arrays are called
    adapted = segmenter.finetuner.adapt(segmenter.model, GivenObject(give(sequence), 1), seed=3)
    propagator = generator_propagator(segmenter.model, {1: adapted.generator})
    propagator.start(sequence.frames[0], sequence.masks[0])
    propagator.step(sequence.frames[1])
    propagator.correct(sequence.masks[1])
    for mask, frame in zip(found, sequence.frames[2:], strict=True):
        np.testing.assert_array_equal(mask, 7 * (propagator.step(frame)[0] > 0.5))
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


class Quarter:
    """Refines masks to nothing; in a stream it must not look ahead."""

    def refine_masks(self, segmenter, stream):
        assert not segmenter.ahead
        for frame in stream:
            frame.probabilities = np.stack([cv2.min(p, 0.25) for p in frame.probabilities])
            yield frame


class LooksAhead:
    def refine_masks(self, segmenter, stream):
        yield from list(stream)


def test_hooks_refine_what_is_answered(segmenter, make_sequence):
    sequence = make_sequence(3)
    segmenter.refiners = (Quarter(),)
    with ObjectStream(segmenter, sequence.frames[0], sequence.masks[0]) as stream:
        assert all(not mask.any() for mask in stream.run(sequence.frames[1:]))


def test_a_hook_that_looks_ahead_is_told_what_a_stream_is(segmenter, make_sequence):
    segmenter.refiners = (LooksAhead(),)
    with pytest.raises(RuntimeError, match='looks ahead, but a stream answers.*segmenter.ahead'):
        ObjectStream(segmenter, make_sequence().frames[0], make_sequence().masks[0])


def test_a_mask_or_a_frame_of_another_size(segmenter, make_sequence):
    sequence = make_sequence()
    with pytest.raises(ValueError, match='the frames are 32x48'):
        ObjectStream(segmenter, sequence.frames[0], np.ones((31, 48), np.uint8))
    with ObjectStream(segmenter, sequence.frames[0], sequence.masks[0]) as stream:
        with pytest.raises(ValueError, match=r'this frame is \(31, 48\), the frames before are \(32, 48\)'):
            stream.step(sequence.frames[1][1:])
        assert stream.step(sequence.frames[1]).shape == (32, 48)  # the stream lives on


@pytest.mark.parametrize('ends', [False, True])
def test_an_object_that_a_later_mask_does_not_show(segmenter, make_sequence, ends):
    sequence = make_sequence(3)
    newcomer = np.zeros_like(sequence.masks[1])
    newcomer[24:30, 30:44] = 2
    with ObjectStream(segmenter, sequence.frames[:2], {0: sequence.masks[0], 1: newcomer}, ends=ends) as stream:
        fate = ('ends there because of --ends (ends=True)' if ends else
                'is still followed: --ends (ends=True) ends such objects there')
        assert stream.notices[0] == f'the mask given for frame 1 does not show object 1, which {fate}'
        assert list(stream.finetune_losses) == [1, 2] and stream.step(sequence.frames[2]).shape == (32, 48)


def test_a_correction_is_learnt_from_and_gone_on_from(segmenter, make_sequence, give):
    segmenter.finetuner.steps = 6
    sequence, heard = make_sequence(5), []
    with ObjectStream(segmenter, sequence.frames[0], 7 * sequence.masks[0],
                      on_progress=lambda *step: heard.append(step)) as stream:
        stream.step(sequence.frames[1])
        assert stream.last.probabilities.shape == (1, 32, 48) and stream.last.object_ids == (7,)
        np.testing.assert_array_equal(stream.last.labels, 7 * (stream.last.probabilities[0] > 0.5))
        labels = stream.correct(7 * sequence.masks[1])
        np.testing.assert_array_equal(labels, 7 * sequence.masks[1])
        found = [stream.step(frame) for frame in sequence.frames[2:]]
        assert heard[6:] == [('fine-tuning', i, 3) for i in (1, 2, 3)] and stream.finetune_fit[7].num_masks == 2
    sequence.name = 'frames'  # as arrays are called
    one, both = give(sequence, (0,), 7), give(sequence, (0, 1), 7)
    adapted = segmenter.correct(both, segmenter.adapt(one), [1])
    propagator = generator_propagator(segmenter.model, {7: adapted[7].generator})
    propagator.start(sequence.frames[1], 7 * sequence.masks[1])
    for mask, frame in zip(found, sequence.frames[2:], strict=True):
        np.testing.assert_array_equal(mask, 7 * (propagator.step(frame)[0] > 0.5))
    with pytest.raises(RuntimeError, match=r'closed: call correct\(mask\) inside'):
        stream.correct(sequence.masks[1])


def test_a_new_object_leaves_the_others_as_they_are(segmenter, make_sequence):
    sequence, corner = make_sequence(3), np.zeros((32, 48), np.uint8)
    corner[2:6, 40:46] = 3
    with ObjectStream(segmenter, sequence.frames[0], sequence.masks[0]) as stream:
        first = dict(stream.finetune_losses)
        before = stream.last.labels
        labels = stream.correct(corner)
        np.testing.assert_array_equal(labels, np.where(corner, 3, before))
        assert list(stream.finetune_losses) == [1, 3] and stream.finetune_losses[1] == first[1]
        assert stream.step(sequence.frames[1]) is not None and stream.last.object_ids == (1, 3)
        assert set(np.unique(stream.correct(corner, ends=True))) == {0, 3}


def test_a_correction_where_the_object_hides_keeps_its_size_in_mind(segmenter, make_sequence, monkeypatch):
    sequence, seen = make_sequence(3), []
    part = sequence.masks[1].copy()
    part[:, 14:] = 0
    given = WholeFrame.given

    def watched(self, frame, mask, area=0.0):
        seen.append((int(mask.sum()), area))
        return given(self, frame, mask, area)
    monkeypatch.setattr(WholeFrame, 'given', watched)
    with ObjectStream(segmenter, sequence.frames[0], sequence.masks[0]) as stream:
        stream.step(sequence.frames[1])
        stream.correct(part)
    assert seen[-1] == (part.sum(), pytest.approx(FADING * sequence.masks[0].sum()))
