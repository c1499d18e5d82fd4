import numpy as np
import pytest

from tempseg_mm.inference.refine import CRFRefiner
from tempseg_mm.ops.dense_crf import DenseCRF
from tempseg_mm.registry import TASK_UTILS
from tempseg_mm.structures import SegmentedFrame


def frames(num=6, size=(24, 32)):
    """A stream of one object: frame 0 given, the others random."""
    generator = np.random.default_rng(0)
    for i in range(num):
        image = generator.integers(0, 256, (*size, 3), dtype=np.uint8)
        probability = generator.random(size, dtype=np.float32).round(0 if i == 0 else 6)
        yield SegmentedFrame('noise', i, f'{i:05d}', image, num_frames=num, probabilities=probability[None],
                             given=i == 0, answered=i > 0)


def bolder(probability, image):
    """Stands for the CRF: adds the first pixel of the image, in hundredths."""
    return (probability + image[0, 0, 0] / 100).astype(np.float32)


def frame(number, probabilities, answered=True):
    image = np.full((1, 2, 3), 10 * number, np.uint8)
    ids = tuple(range(1, len(probabilities) + 1))
    return SegmentedFrame('two', number, f'{number:05d}', image, ids, probabilities=probabilities, answered=answered)


@pytest.mark.parametrize('workers', [0, 2])
def test_every_frame_but_the_given_one_in_order(workers, own_processes):
    crf = TASK_UTILS.build(dict(type='DenseCRF', srgb=20))
    refiner = CRFRefiner(crf, workers=workers)
    refined = list(refiner.refine(frames()))
    refiner.close()
    assert [frame.frame_id for frame in refined] == list(range(6))
    for before, after in zip(frames(), refined):
        expected = before.probabilities if before.given else crf(before.probabilities[0], before.image)[None]
        np.testing.assert_array_equal(after.probabilities, expected)
        np.testing.assert_array_equal(after.image, before.image)
    assert isinstance(crf, DenseCRF) and not own_processes()


def test_the_network_is_two_frames_a_worker_ahead_at_most():
    asked = []
    refiner = CRFRefiner(DenseCRF(), workers=1)
    for i, _ in enumerate(refiner.refine(asked.append(frame.frame_id) or frame for frame in frames(9))):
        assert asked[-1] == min(i + 2, 8)
    refiner.close()


def test_where_nobody_may_look_ahead_each_frame_is_answered_at_once(own_processes):
    asked = []
    stream = (asked.append(frame.frame_id) or frame for frame in frames(4))
    for i, _ in enumerate(CRFRefiner(DenseCRF(), workers=2).refine(stream, ahead=False)):
        assert asked[-1] == i and not own_processes()


def test_a_given_frame_that_the_network_answered_is_refined_too():
    given = frame(1, np.full((1, 1, 2), 0.25, np.float32))
    given.given, given.labels = True, np.ones((1, 2), np.uint8)
    refined, = CRFRefiner(bolder, workers=0).refine([given])
    np.testing.assert_allclose(refined.probabilities, 0.35, atol=1e-6)


def test_each_object_is_refined_and_they_are_merged_again():
    probabilities = np.array([[[0.65, 0.1]], [[0.4, 0.0]]], np.float32)
    refined, = CRFRefiner(bolder, workers=0).refine([frame(1, probabilities)])
    # 0.75 and 0.5 at the first pixel: odds 3 and 1 beside 1.
    np.testing.assert_allclose(refined.probabilities[:, 0, 0], [0.6, 0.2], atol=1e-6)


def test_objects_that_are_not_there_yet_are_left_alone():
    absent, = CRFRefiner(bolder, workers=0).refine([frame(2, np.array([[[0.3, 0.3]], [[0, 0]]], np.float32))])
    assert absent.probabilities[1].max() < 1e-6


@pytest.mark.parametrize('workers', [0, 1])
def test_a_failure_names_sequence_frame_and_object(workers, own_processes):
    def broken():
        for frame in frames():
            if frame.frame_id == 3:
                frame.probabilities = frame.probabilities + 2
            yield frame
    with pytest.raises(RuntimeError, match=r'(?s)CRF of sequence noise, frame 00003, object 1: .*probabilities in '
                                           r'\[0, 1\]'):
        list(CRFRefiner(DenseCRF(), workers=workers).refine(broken()))
    assert not own_processes()


def test_a_killed_worker_ends_the_stream_with_an_error(own_processes):
    stream = CRFRefiner(DenseCRF(sxy_bilateral=60), workers=2).refine(frames(9, (480, 854)))
    next(stream)
    for worker in own_processes():
        worker.kill()
    with pytest.raises(RuntimeError, match='CRF of sequence noise, frame 0000., object 1: its worker process died'):
        list(stream)
    assert not own_processes()
