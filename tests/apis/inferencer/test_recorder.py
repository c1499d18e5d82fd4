import numpy as np
import pytest

from tempseg_mm.apis.inferencer.recorder import FrameRecorder, GroundTruth, confidences_of
from tempseg_mm.structures.segmented_frame import SegmentedFrame
from tempseg_mm.visualization.exporters import write_indexed_png


def frame(number, labels, **more):
    labels = np.asarray([labels], np.uint8)
    return SegmentedFrame(number, f'{number:05d}', np.zeros((*labels.shape, 3), np.uint8), labels=labels, **more)


def test_figures_worked_by_hand():
    recorder = FrameRecorder((1, 4), GroundTruth({1: np.array([[1, 1, 0, 4]], np.uint8)}))
    recorder.add(frame(0, [1, 1, 0, 4], given=True), {1: 1.0, 4: 1.0})
    second = recorder.add(frame(1, [1, 0, 4, 4]), {1: 0.75, 4: None})
    assert recorder.records[0].changes == {1: None, 4: None} and recorder.records[0].scores == {}
    assert second.areas == {1: 1, 4: 2} and second.confidences == {1: 0.75, 4: None}
    assert second.changes == {1: 0.5, 4: 0.5} and second.scores == {1: 0.5, 4: 0.5}
    recorder.add(frame(2, [0, 0, 0, 0]), {1: None, 4: None})  # no ground truth: not scored
    assert recorder.mean_j == {1: 0.5, 4: 0.5}
    assert FrameRecorder((1,)).mean_j == {}


def test_confidence_is_the_mean_probability_over_the_mask():
    probabilities = np.array([[[0.9, 0.7, 0.1]], [[0, 0, 0.2]]], np.float32)
    assert confidences_of(frame(0, [3, 3, 0], probabilities=probabilities), (3, 5)) == {3: pytest.approx(0.8), 5: None}
    assert confidences_of(frame(0, [3, 0, 5], given=True), (3, 5)) == {3: 1.0, 5: 1.0}


def test_ground_truth_from_a_folder_a_list_and_a_dict(tmp_path):
    mask = np.array([[0, 2]], np.uint8)
    write_indexed_png(tmp_path / '00007.png', mask)
    for truth in (GroundTruth(tmp_path), GroundTruth([mask], start=7), GroundTruth({7: tmp_path / '00007.png'})):
        np.testing.assert_array_equal(truth.labels(frame(7, [0, 0])), mask)
        assert truth.labels(frame(8, [0, 0])) is None
    with pytest.raises(ValueError, match=r'ground truth of frame 00007 is \(1, 2\), the frame \(1, 3\)'):
        GroundTruth(tmp_path).labels(frame(7, [0, 0, 0]))


@pytest.mark.parametrize('make', [lambda folder: None, lambda folder: folder.mkdir()])
def test_no_ground_truth_there(tmp_path, make):
    make(tmp_path / 'gt')
    with pytest.raises(FileNotFoundError, match='there is none in .*gt'):
        GroundTruth(tmp_path / 'gt')
