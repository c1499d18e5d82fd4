import os
import signal

import numpy as np
import pytest

from tempseg_mm.inference.crf import CRFRefiner
from tempseg_mm.ops.dense_crf import DenseCRF
from tempseg_mm.registry import TASK_UTILS
from tempseg_mm.structures import FramePrediction


def frames(num=6, size=(24, 32)):
    """A stream as the loop makes it: frame 0 given, the others random."""
    generator = np.random.default_rng(0)
    for i in range(num):
        yield FramePrediction(
            sequence='noise', frame_id=i, num_frames=num, file_name=f'{i:05d}',
            image=generator.integers(0, 256, (*size, 3), dtype=np.uint8),
            probability=generator.random(size, dtype=np.float32).round(0 if i == 0 else 6), given=i == 0)



@pytest.mark.parametrize('workers', [0, 2])
def test_every_frame_but_the_given_one_in_order(workers, own_processes):
    crf = TASK_UTILS.build(dict(type='DenseCRF', srgb=20))
    refiner = CRFRefiner(crf, workers=workers)
    refined = list(refiner.refine(frames()))
    refiner.close()
    assert [frame.frame_id for frame in refined] == list(range(6))
    for before, after in zip(frames(), refined):
        expected = before.probability if before.given else crf(before.probability, before.image)
        np.testing.assert_array_equal(after.probability, expected)
        np.testing.assert_array_equal(after.image, before.image)
    assert isinstance(crf, DenseCRF) and not own_processes()


def test_the_network_is_two_frames_a_worker_ahead_at_most():
    asked = []
    refiner = CRFRefiner(DenseCRF(), workers=1)
    for i, _ in enumerate(refiner.refine(asked.append(frame.frame_id) or frame for frame in frames(9))):
        assert asked[-1] == min(i + 2, 8)
    refiner.close()


@pytest.mark.parametrize('workers', [0, 1])
def test_a_failure_names_sequence_and_frame(workers, own_processes):
    def broken():
        for frame in frames():
            if frame.frame_id == 3:
                frame.probability = frame.probability + 2
            yield frame
    with pytest.raises(RuntimeError, match=r'(?s)CRF of sequence noise, frame 00003: .*probabilities in \[0, 1\]'):
        list(CRFRefiner(DenseCRF(), workers=workers).refine(broken()))
    assert not own_processes()


def test_a_killed_worker_ends_the_stream_with_an_error(own_processes):
    stream = CRFRefiner(DenseCRF(sxy_bilateral=60), workers=2).refine(frames(9, (480, 854)))
    next(stream)
    for worker in own_processes():
        os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(RuntimeError, match='CRF of sequence noise, frame 0000.: its worker process died'):
        list(stream)
    assert not own_processes()
