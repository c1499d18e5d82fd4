import numpy as np
import pytest

from tempseg_mm.apis.inferencer.recorder import FrameRecorder, confidences_of
from tempseg_mm.structures import SegmentedFrame


class Given:
    """Frame 0 shows objects 1 and 4, frame 2 object 4 alone."""
    labels = {0: np.array([[1, 1, 0, 4]], np.uint8), 2: np.array([[0, 0, 4, 4]], np.uint8)}
    object_ids = (1, 4)


def frame(number, labels, **more):
    labels = np.asarray([labels], np.uint8)
    return SegmentedFrame('s', number, f'{number:05d}', np.zeros((*labels.shape, 3), np.uint8), (1, 4), labels=labels,
                          **more)


def test_figures_worked_by_hand():
    recorder = FrameRecorder(Given())
    truth = np.array([[1, 1, 0, 4]], np.uint8)
    recorder.add(frame(0, [1, 1, 0, 4], given=True, gt_labels=truth), {1: 1.0, 4: 1.0}, {})
    second = recorder.add(frame(1, [1, 0, 4, 4], gt_labels=truth), {1: 0.75, 4: None}, {})
    assert recorder.records[0].changes == {1: None, 4: None} and recorder.records[0].scores == {}
    assert second.areas == {1: 1, 4: 2} and second.confidences == {1: 0.75, 4: None}
    assert second.changes == {1: 0.5, 4: 0.5} and second.scores == {1: 0.5, 4: 0.5}
    recorder.add(frame(3, [0, 0, 0, 0]), {1: None, 4: None}, {})  # no ground truth: not scored
    recorder.add(frame(4, [0, 0, 0, 0], gt_labels=truth), {1: None, 4: None}, {})  # the last frame does not count
    assert recorder.records[-1].scores == {1: 0, 4: 0} and recorder.mean_j == {1: 0.5, 4: 0.5}
    assert FrameRecorder(Given()).mean_j == {}


def test_on_a_given_frame_the_network_s_answer_is_scored():
    recorder = FrameRecorder(Given())
    probabilities = np.array([[[0, 0, 0, 0]], [[0, 0, 0.9, 0.1]]], np.float32)
    later = frame(2, [0, 0, 4, 4], given=True, answered=True, probabilities=probabilities,
                  gt_labels=np.array([[0, 0, 4, 4]], np.uint8))
    answer = recorder.answer(later)
    assert answer == {1: 1.0, 4: 0.5}  # object 1 is neither there nor answered
    recorder.add(frame(0, [1, 1, 0, 4], given=True), {1: 1.0, 4: 1.0}, {})
    assert recorder.add(later, {1: None, 4: 1.0}, answer).scores == answer


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
