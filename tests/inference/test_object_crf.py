import numpy as np
import pytest

from tempseg_mm.inference.object_crf import ObjectCRF
from tempseg_mm.structures.segmented_frame import SegmentedFrame


def bolder(probability, image):
    """Stands for the CRF: adds the first pixel of the image, in hundredths."""
    return (probability + image[0, 0, 0] / 100).astype(np.float32)


def failing(probability, image):
    raise ValueError('no good')


def frame(number, probabilities):
    image = np.full((1, 2, 3), 10 * number, np.uint8)
    return SegmentedFrame(number, f'{number:05d}', image, probabilities=probabilities)


def test_each_object_is_refined_and_they_are_merged_again():
    probabilities = np.array([[[0.65, 0.1]], [[0.4, 0.0]]], np.float32)
    refined, = ObjectCRF(bolder, workers=0).refine([frame(1, probabilities)])
    # 0.75 and 0.5 at the first pixel: odds 3 and 1 beside 1.
    np.testing.assert_allclose(refined.probabilities[:, 0, 0], [0.6, 0.2], atol=1e-6)


def test_one_object_is_what_the_crf_says_and_frames_keep_their_order():
    frames = [frame(i, np.full((1, 1, 2), 0.25, np.float32)) for i in range(5)]
    refined = list(ObjectCRF(bolder, workers=0).refine(iter(frames)))
    assert [f.frame_id for f in refined] == [0, 1, 2, 3, 4]
    np.testing.assert_allclose([f.probabilities[0, 0, 0] for f in refined], [0.25, 0.35, 0.45, 0.55, 0.65], atol=1e-6)


def test_given_frames_and_objects_that_are_not_there_yet_are_left_alone():
    given = frame(1, None)
    absent = frame(2, np.array([[[0.3, 0.3]], [[0, 0]]], np.float32))
    first, second = ObjectCRF(bolder, workers=0).refine([given, absent])
    assert first.probabilities is None
    assert second.probabilities[1].max() < 1e-6


def test_a_failure_names_frame_and_object():
    crf = ObjectCRF(failing, workers=0)
    with pytest.raises(RuntimeError, match=r'CRF of frame 00003, object number 1: (.|\n)*no good'):
        list(crf.refine([frame(3, np.ones((1, 1, 2), np.float32))]))
