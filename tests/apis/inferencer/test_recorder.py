import numpy as np
import pytest

from tempseg_mm.apis.inferencer.lost_spans import LostSpan
from tempseg_mm.apis.inferencer.recorder import FrameRecorder, confidences_of, sure_of
from tempseg_mm.structures import SegmentedFrame


class Given:
    """Frame 0 shows objects 1 and 4, frame 2 object 4 alone."""
    labels = {0: np.array([[1, 1, 0, 4]], np.uint8), 2: np.array([[0, 0, 4, 4]], np.uint8)}
    object_ids = (1, 4)


def frame(number, labels, **more):
    labels = np.asarray([labels], np.uint8)
    return SegmentedFrame('s', number, f'{number:05d}', np.zeros((*labels.shape, 3), np.uint8), (1, 4), labels=labels,
                          **more)


def figures(one, four, answer=None):
    return dict(confidences={1: one, 4: four}, sure={1: one, 4: four}, answer=answer or {})


def test_figures_worked_by_hand():
    recorder = FrameRecorder(Given())
    truth = np.array([[1, 1, 0, 4]], np.uint8)
    recorder.add(frame(0, [1, 1, 0, 4], given=True, gt_labels=truth), **figures(1.0, 1.0))
    second = recorder.add(frame(1, [1, 0, 4, 4], gt_labels=truth), **figures(0.75, None))
    assert recorder.records[0].changes == {1: None, 4: None} and recorder.records[0].scores == {}
    assert second.areas == {1: 1, 4: 2} and second.confidences == {1: 0.75, 4: None}
    assert second.changes == {1: 0.5, 4: 0.5} and second.scores == {1: 0.5, 4: 0.5}
    recorder.add(frame(3, [0, 0, 0, 0]), **figures(None, None))  # no ground truth: not scored
    recorder.add(frame(4, [0, 0, 0, 0], gt_labels=truth), **figures(None, None))  # the last frame does not count
    assert recorder.records[-1].scores == {1: 0, 4: 0} and recorder.mean_j == {1: 0.5, 4: 0.5}
    assert FrameRecorder(Given()).mean_j == {}


def test_on_a_given_frame_the_network_s_answer_is_scored():
    recorder = FrameRecorder(Given())
    probabilities = np.array([[[0, 0, 0, 0]], [[0, 0, 0.9, 0.1]]], np.float32)
    later = frame(2, [0, 0, 4, 4], given=True, answered=True, probabilities=probabilities,
                  gt_labels=np.array([[0, 0, 4, 4]], np.uint8))
    answer = recorder.answer(later)
    assert answer == {1: 1.0, 4: 0.5}  # object 1 is neither there nor answered
    recorder.add(frame(0, [1, 1, 0, 4], given=True), **figures(1.0, 1.0))
    assert recorder.add(later, **figures(None, 1.0, answer)).scores == answer


def test_the_frame_that_an_object_first_shows_on_is_not_scored_for_it():
    class Newcomer(Given):
        labels = {0: np.array([[1, 1, 0, 0]], np.uint8), 2: np.array([[1, 0, 4, 4]], np.uint8)}
    probabilities = np.array([[[0.9, 0, 0, 0]], [[0, 0, 0, 0]]], np.float32)
    later = frame(2, [1, 0, 4, 4], given=True, answered=True, probabilities=probabilities,
                  gt_labels=np.array([[1, 0, 4, 4]], np.uint8))
    assert FrameRecorder(Newcomer()).answer(later) == {1: 1.0}


def test_confidence_is_the_mean_probability_over_the_mask():
    probabilities = np.array([[[0.9, 0.7, 0.1]], [[0, 0, 0.2]]], np.float32)
    assert confidences_of(frame(0, [1, 1, 0], probabilities=probabilities)) == {1: pytest.approx(0.8), 4: None}
    assert confidences_of(frame(0, [1, 0, 4], given=True)) == {1: 1.0, 4: 1.0}


def test_sureness_is_the_share_of_the_possible_pixels_that_the_mask_has():
    probabilities = np.array([[[0.9, 0.7, 0.1, 0.06]], [[0, 0, 0.04, 0]]], np.float32)
    assert sure_of(frame(0, [1, 1, 0, 0], probabilities=probabilities)) == {1: 0.5, 4: None}
    refined = frame(0, [1, 1, 0, 0], probabilities=np.ones_like(probabilities), unrefined=probabilities)
    assert sure_of(refined) == {1: 0.5, 4: None} and confidences_of(refined)[1] == pytest.approx(
        probabilities[0, 0, :2].mean())
    assert sure_of(frame(0, [1, 0, 4, 4], given=True)) == {1: 1.0, 4: 1.0}


def test_where_an_object_was_probably_lost_is_told():
    recorder = FrameRecorder(Given())
    recorder.add(frame(0, [1, 1, 0, 4], given=True), **figures(1.0, 1.0))
    for number in range(1, 6):
        recorder.add(frame(number, [1, 0, 0, 4]), **figures(0.3, 0.95))
    assert recorder.lost == [LostSpan(1, 1, 5, 1, 'unsure')] and len(recorder.notices) == 1
    assert recorder.notices[0].startswith('Object 1 was probably lost at frame 1 (to 5)')


def test_an_object_that_goes_on_in_a_given_frame_is_as_sure_as_the_network():
    probabilities = np.array([[[0.9, 0.7, 0.1]], [[0, 0, 1]]], np.float32)
    later = frame(2, [1, 1, 4], probabilities=probabilities, given=True, answered=True, going_on=(1,))
    assert confidences_of(later) == {1: pytest.approx(0.8), 4: 1.0}
    assert sure_of(later) == {1: pytest.approx(2 / 3), 4: 1.0}
